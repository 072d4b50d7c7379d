/* The page with a script: a list of files that grows and shrinks, progress, and archives of any size.
 *
 * Browsers look at an answer only after they have sent the whole request. So that nothing has to be kept meanwhile, the
 * upload and the download are two requests that run at once; a random ticket tells the server which belong together. */
"use strict";

const $ = (id) => document.getElementById(id);
const form = $("form"), input = $("files"), drop = $("drop"), list = $("list");
const send = $("send"), clear = $("clear"), stop = $("stop"), progress = $("progress"), status = $("status");
let files = [];
let request = null;

function size(bytes) {
	const units = ["bytes", "KB", "MB", "GB", "TB"];
	let unit = 0;
	for (; bytes >= 999.5 && unit < units.length - 1; unit++)
		bytes /= 1000;
	return `${unit === 0 || bytes >= 99.5 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

function say(text, bad = false) {
	status.textContent = text;
	status.classList.toggle("bad", bad);
}

function row(file) {
	const item = document.createElement("li"), name = document.createElement("span");
	const bytes = document.createElement("span"), remove = document.createElement("button");
	name.className = "name";
	name.textContent = name.title = file.name;
	bytes.className = "size";
	bytes.textContent = size(file.size);
	remove.className = "quiet";
	remove.type = "button";
	remove.textContent = "\u00d7";
	remove.disabled = request !== null;
	remove.setAttribute("aria-label", `Remove ${file.name}`);
	remove.addEventListener("click", () => {
		const index = files.indexOf(file);
		files.splice(index, 1);
		show();
		(list.querySelectorAll("button")[Math.min(index, files.length - 1)] || input).focus();
	});
	item.append(name, bytes, remove);
	return item;
}

function show() {
	const total = files.reduce((sum, file) => sum + file.size, 0), busy = request !== null;
	list.replaceChildren(...files.map(row));
	send.disabled = busy || files.length === 0;
	input.disabled = busy;
	clear.hidden = busy || files.length === 0;
	stop.hidden = progress.hidden = !busy;
	if (!busy)
		say(files.length === 0 ? "" : `${files.length === 1 ? "1 file" : `${files.length} files`}, ${size(total)}`);
}

function add(chosen) {
	if (request !== null)
		return;
	files.push(...chosen);
	show();
}

function ticket() {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* The download: the server answers once the upload with this ticket arrives. */
function receive(query) {
	const frame = document.createElement("iframe");
	frame.hidden = true;
	frame.title = "Download";
	frame.src = `/archive${query}`;
	document.body.append(frame);
}

function finish(text, bad) {
	request = null;
	if (!bad)
		files = [];
	show();
	say(text, bad);
}

function upload() {
	const query = `?ticket=${ticket()}`, data = new FormData();
	for (const file of files)
		data.append("file", file);
	request = new XMLHttpRequest();
	request.open("POST", `/upload${query}`);
	request.upload.addEventListener("progress", (event) => {
		progress.value = event.loaded / event.total;
		say(`${size(event.loaded)} of ${size(event.total)} sent`);
	});
	request.addEventListener("load", () => finish(request.responseText.trim(), request.status !== 200));
	request.addEventListener("error", () => finish("The connection was lost. The archive is not complete.", true));
	request.addEventListener("abort", () => finish("Stopped. The archive is not complete.", true));
	progress.value = 0;
	show();
	say("Starting\u2026");
	receive(query);
	request.send(data);
}

input.addEventListener("change", () => {
	add(input.files);
	input.value = "";
});
form.addEventListener("submit", (event) => {
	event.preventDefault();
	if (request === null && files.length > 0)
		upload();
});
clear.addEventListener("click", () => {
	files = [];
	show();
	input.focus();
});
stop.addEventListener("click", () => request.abort());
for (const kind of ["dragenter", "dragover"])
	drop.addEventListener(kind, () => drop.classList.add("over"));
for (const kind of ["dragleave", "drop"])
	drop.addEventListener(kind, () => drop.classList.remove("over"));
/* A file that misses the area must not replace the page. */
for (const kind of ["dragover", "drop"])
	document.addEventListener(kind, (event) => event.target === input || event.preventDefault());
addEventListener("beforeunload", (event) => request !== null && event.preventDefault());

document.documentElement.classList.add("scripted");
show();
