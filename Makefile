# SPDX-License-Identifier: ISC
#
# Skerry's build. One make knows everything; a directory's sources are the files in it, so adding a file needs no edit.
#
#   make            tenders, tools, libraries and examples, for every target
#   make run        the upload-and-zip web server in the sandbox, on http://127.0.0.1:8080/; PORT=N: on another port
#   make test       everything that .ci/run runs;  make test-units, make test-blackbox: parts of it
#   make bench fuzz cuts seeds goodput long lint format install clean
#
#   V=1 shows the commands; O=DIR builds elsewhere; DESTDIR and PREFIX say where install goes.

O      ?= build
PREFIX ?= /usr/local
CC     := gcc
Q      := $(if $(V),,@)
say     = $(if $(V),@:,@printf '%-10s%s\n' '$(1)' '$(2)')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
# Images of the examples; each build has its own.
DIST := $(if $(filter build,$(O)),dist,$(O)/dist)
export SKERRY_BUILD := $(abspath $(O))
export SKERRY_DIST := $(abspath $(DIST))

warnings := -Wall -Wextra -Wshadow -Wconversion -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
includes := -Iinclude -Iplatform -I.
host     := -std=c17 -D_GNU_SOURCE -g $(warnings) $(includes) -MMD -MP
# A task's stack on a host is large, because there memory that is not touched costs nothing.
stack    := -DTASK_STACK_BYTES=262144
unix     := $(host) $(stack) -O2 -fPIE -fstack-protector-strong
test     := $(host) $(stack) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# Sources, by the part of the house they belong to ---------------------------------------------------------------------

lib-src    := $(filter-out lib/host% lib/embed/%,$(wildcard lib/*/*.c lib/*/*.S))
embed-src  := $(wildcard lib/embed/*.c)
unix-src   := $(lib-src) $(wildcard lib/host*/*.c platform/unix/*.c)
test-src   := $(filter-out lib/task/fiber.c,$(unix-src)) lib/task/asan/fiber.c \
	platform/virtio/virtqueue.c platform/virtio/receive.c platform/virtio/transmit.c
spt-src    := $(lib-src) $(wildcard platform/guest/*.[cS] platform/spt/*.[cS])
hvt-src    := $(lib-src) $(wildcard platform/guest/*.[cS] platform/hvt/*.[cS])
virtio-src := $(lib-src) $(wildcard platform/guest/*.[cS] platform/virtio/*.[cS])
guests     := spt hvt virtio
tender-src := $(wildcard tender/common/*.c tender/spt/*.c tender/hvt/*.c tender/virtio/*.c)
tool-src   := $(wildcard tool/*.[cS] tool/configure/*.c tool/run/*.c)
unit-src   := $(wildcard */*/test/*.c */test/*.c)
fuzz-src   := $(wildcard */*/fuzz/*.c)
bench-src  := $(wildcard bench/*.c)
guest-src  := $(wildcard tests/guests/*.c)
examples   := $(patsubst examples/%/config.c,%,$(wildcard examples/*/config.c examples/*/*/config.c))

objects     = $(patsubst %,$(O)/$(1)/%.o,$(basename $(2)))

# Libraries: one archive a flavour; the linker takes what is used --------------------------------------------------------

$(O)/unix/%.o: %.c | $(O)/.packages-build
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(unix) -c -o $@ $<
$(O)/unix/%.o: %.S | $(O)/.packages-build
	$(call say,AS,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(unix) -c -o $@ $<
$(O)/test/%.o: %.c | $(O)/.packages-build $(O)/.packages-test
	$(call say,CC test,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(test) -c -o $@ $<
$(O)/test/%.o: %.S | $(O)/.packages-build
	$(call say,AS test,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(test) -c -o $@ $<

# What goes into an image is compiled by skerry-cc, which knows the guest's flags and libc.
define guest-rules
$(O)/$(1)/%.o: %.c tool/skerry-cc | $(O)/.packages-build
	$$(call say,CC $(1),$$<)
	$$(Q)mkdir -p $$(@D) && tool/skerry-cc -t $(1) $(warnings) -MMD -MP -c -o $$@ $$<
$(O)/$(1)/%.o: %.S tool/skerry-cc | $(O)/.packages-build
	$$(call say,AS $(1),$$<)
	$$(Q)mkdir -p $$(@D) && tool/skerry-cc -t $(1) -MMD -MP -c -o $$@ $$<
$(O)/$(1)/libskerry.a: $(call objects,$(1),$($(1)-src))
endef
$(foreach target,$(guests),$(eval $(call guest-rules,$(target))))

$(O)/unix/libskerry.a: $(call objects,unix,$(unix-src))
$(O)/test/libskerry.a: $(call objects,test,$(test-src))
$(O)/unix/libtender.a: $(call objects,unix,$(filter-out %/main.c,$(tender-src)))
$(O)/test/libtender.a: $(call objects,test,$(filter-out %/main.c,$(tender-src)))
%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

# libskerry-net: the stack for any program of the host's. Of the library it takes what its public calls need, and hides
# all other names; what is in lib/embed comes first and stands for what unikernels have in its place.
embed-names := lib/embed/exports
$(O)/libskerry-net.a: $(call objects,unix,$(embed-src)) $(O)/unix/libskerry.a $(embed-names)
	$(call say,AR,$@)
	$(Q)ld -r -o $(@:.a=.o) $(patsubst %,-u %,$(file <$(embed-names))) $(filter %.o %.a,$^) $$($(CC) -print-file-name=libbearssl.a)
	$(Q)objcopy --keep-global-symbols=$(embed-names) $(@:.a=.o)
	$(Q)rm -f $@ && ar rcs $@ $(@:.a=.o)

# Host programs ------------------------------------------------------------------------------------------------------------

lib-libs    := -lz -lbearssl -lm
tender-libs := -lseccomp
tool-libs   := -ljansson -lbearssl -lz -lseccomp

tenders := $(patsubst %,$(O)/skerry-%,spt hvt virtio)
$(tenders): $(O)/skerry-%: $(O)/unix/tender/%/main.o $(O)/unix/libtender.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(tender-libs)
# config.c, which is loaded when it is run, finds the functions of <skerry/config.h> in the program.
$(O)/skerry: $(call objects,unix,$(tool-src)) $(O)/unix/libtender.a $(O)/unix/libskerry.a | $(O)/skerry-cc $(O)/make-image
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -rdynamic -o $@ $^ $(tool-libs)
$(O)/skerry-cc $(O)/make-image: $(O)/%: tool/%
	$(Q)mkdir -p $(@D) && ln -sfn $(abspath $<) $@

# .incbin leaves no trace in the files of dependencies.
$(O)/unix/tool/new_templates.o: $(wildcard examples/hello/*.c examples/web/*.c examples/echo/*.c)

# Manual pages and the shells' completion: the command itself makes them from its tables.
$(O)/man/skerry.1: $(O)/skerry
	$(call say,MAN,$(@D))
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)for name in $$($< help --list); do $< help --man $$name > $(@D)/skerry-$$name.1 || exit 1; done
	$(Q)$< help --man > $@
shells := bash zsh fish
$(O)/completion/%: $(O)/skerry
	$(Q)mkdir -p $(@D) && $< help --completion=$* > $@

# Unit tests (cmocka, one program a file) and fuzz targets, under the address and undefined-behaviour sanitizers ---------------

unit-programs := $(patsubst %.c,$(O)/test/%,$(unit-src))
fuzz-programs := $(patsubst %.c,$(O)/test/%,$(fuzz-src))
$(unit-programs): $(O)/test/%: $(O)/test/%.o $(O)/test/libskerry.a $(O)/test/libtender.a
	$(call say,LINK,$@)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $(filter %.o,$^) $(filter %.a,$^) $(O)/test/libskerry.a -lcmocka $(lib-libs) $(tender-libs) $(tool-libs)
# The simulator's and libskerry-net's objects come before the library, in which others of the same names stay unused.
$(filter $(O)/test/platform/sim/%,$(unit-programs)): $(call objects,test,$(wildcard platform/sim/*.c))
$(filter $(O)/test/lib/embed/%,$(unit-programs) $(fuzz-programs)): $(call objects,test,$(embed-src))
$(fuzz-programs): $(O)/test/%: $(O)/test/%.o $(O)/test/tests/fuzz_main.o $(O)/test/libskerry.a $(O)/test/libtender.a
	$(call say,LINK,$@)
	$(Q)$(CC) -fsanitize=address,undefined -o $@ $(filter %.o,$^) $(filter %.a,$^) $(O)/test/libskerry.a $(lib-libs) $(tender-libs) $(tool-libs)

# The simulator: many stacks of libskerry-net in one process, whose heap it counts. Two programs.
simulator-src := $(filter-out %/simulator.c %/goodput.c,$(wildcard tests/simulator/*.c)) $(embed-src)
simulator     := $(O)/test/tests/simulator/simulator
goodput       := $(O)/unix/tests/simulator/goodput
counted-heap  := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
$(simulator): %: %.o $(call objects,test,$(simulator-src)) $(O)/test/libskerry.a
	$(call say,LINK,$@)
	$(Q)$(CC) -fsanitize=address,undefined $(counted-heap) -o $@ $^ $(lib-libs)
$(goodput): %: %.o $(call objects,unix,$(simulator-src)) $(O)/unix/libskerry.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(counted-heap) -o $@ $^ $(lib-libs)

# Micro-benchmarks, of the library as a unix process uses it ------------------------------------------------------------------

bench-programs := $(patsubst %.c,$(O)/unix/%,$(bench-src))
$(bench-programs): $(O)/unix/%: $(O)/unix/%.o $(O)/unix/libskerry.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie -o $@ $^ $(lib-libs)

# Examples and the tests' unikernels, by the command; unix gives dist/NAME, others dist/NAME.TARGET -----------------------------

linker      := tool/skerry-cc tool/check-image platform/guest/image.ld
unikernel   := $(linker) $(wildcard tool/make-image) $(O)/skerry
dist-unix   := $(patsubst %,$(DIST)/%,$(examples))
dist-guests := $(foreach target,$(guests),$(patsubst %,$(DIST)/%.$(target),$(examples)))
# (target, directory of config.c, directory of the build)
build-image  = mkdir -p $(3) $(@D) && cd $(3) && \
	CFLAGS=-Werror $(abspath $(O)/skerry) configure -t $(1) -o image -f $$(realpath --relative-to=. $(abspath $(2)))/config.c >/dev/null && \
	$(abspath $(O)/skerry) build -j1 >/dev/null && cp -p dist/image$(filter-out .unix,.$(1)) $(abspath $@)

.SECONDEXPANSION:
$(dist-unix): $(DIST)/%: $$(wildcard examples/$$*/* examples/$$*/*/*) $(O)/unix/libskerry.a $(unikernel)
	$(call say,IMAGE,$@)
	$(Q)$(call build-image,unix,examples/$*,$(O)/examples/$*.unix)
define image-rule
$(DIST)/%.$(1): $$$$(wildcard examples/$$$$*/* examples/$$$$*/*/*) $(O)/$(1)/libskerry.a $(unikernel)
	$$(call say,IMAGE,$$@)
	$$(Q)$$(call build-image,$(1),examples/$$*,$(O)/examples/$$*.$(1))
endef
$(foreach target,$(guests),$(eval $(call image-rule,$(target))))

test-unikernels := $(patsubst tests/unikernels/%/config.c,$(O)/unikernels/%.spt,$(wildcard tests/unikernels/*/config.c))
$(test-unikernels): $(O)/unikernels/%.spt: $$(wildcard tests/unikernels/$$*/*) $(O)/spt/libskerry.a $(unikernel)
	$(call say,IMAGE,$@)
	$(Q)$(call build-image,spt,tests/unikernels/$*,$(O)/unikernels/$*.build)

# Tiny guests, one per property of the sandbox (tests/guests): linked without tasks or network -------------------------------

guest-programs := $(foreach target,$(guests),$(patsubst tests/guests/%.c,$(O)/guests/%.$(target),$(guest-src))) \
	$(patsubst %,$(O)/guests/%.unix,arguments clocks ends frames hello sectors)
guest-manifest = $(firstword $(wildcard tests/guests/$(1).json) tests/guests/manifest.json)

$(O)/guests/%.manifest.c: tests/guests/%.c $(wildcard tests/guests/*.json) $(O)/skerry
	$(Q)mkdir -p $(@D) && $(O)/skerry elf gen-manifest $(call guest-manifest,$*) $@
define tiny-guest-rule
$(O)/guests/%.$(1): tests/guests/%.c tests/guests/guest.h $(O)/guests/%.manifest.c $(O)/$(1)/libskerry.a $(linker)
	$$(call say,IMAGE,$$@)
	$$(Q)tool/skerry-cc -t $(1) $(warnings) -o $$@ $$< $(O)/guests/$$*.manifest.c
endef
$(foreach target,$(guests),$(eval $(call tiny-guest-rule,$(target))))
$(O)/guests/%.unix: tests/guests/%.c tests/guests/guest.h $(O)/unix/libskerry.a $(linker)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && tool/skerry-cc -t unix $(warnings) -o $@ $<
# It is the one that is to be killed for its system calls, so they may be in it.
$(O)/guests/forbidden.% $(O)/guests/forbidden_tap.%: export SKERRY_ALLOW_SYSCALLS := platform_main

# Packages: what is missing is installed by name before the first compilation -----------------------------------------------

$(O)/.packages-%: tool/packages
	$(Q)tool/packages $* && mkdir -p $(O) && touch $@
# Who tests is told of all that is missing at once, and two package managers do not run side by side.
ifneq ($(filter test% bench long,$(MAKECMDGOALS)),)
$(O)/.packages-build: | $(O)/.packages-test
endif

# What people ask for -------------------------------------------------------------------------------------------------------

-include $(shell test -d $(O) && find $(O) -name '*.d')

.PHONY: all run test test-units test-blackbox lab fuzz cuts seeds goodput long bench lint format install clean
all: $(tenders) $(O)/skerry $(O)/man/skerry.1 $(O)/unix/libskerry.a $(O)/libskerry-net.a $(dist-unix) $(dist-guests)

# A guest that Ctrl-C has ended is no error: the shell waits for it, and make has nothing to complain of.
PORT ?= 8080
run: $(O)/skerry $(O)/skerry-spt $(DIST)/zip.spt
	@echo 'Upload and zip: http://127.0.0.1:$(PORT)/ (ends with Ctrl-C)'
	@trap interrupted=yes INT; $(O)/skerry run -p $(PORT):80 --mem=64 $(DIST)/zip.spt || [ "$$interrupted" ]

test-programs := all $(unit-programs) $(fuzz-programs) $(guest-programs) $(test-unikernels) \
	$(simulator) $(goodput)
test: $(O)/.packages-test $(test-programs)
	@/usr/bin/python3 tests/run.py --build $(O)
test-units: $(O)/.packages-test $(unit-programs)
	@/usr/bin/python3 tests/run.py --build $(O) --only units
test-blackbox: $(O)/.packages-test $(test-programs)
	@/usr/bin/python3 tests/run.py --build $(O) --only blackbox
# hvt in an emulated Linux, where KVM works.
lab: $(O)/.packages-test $(test-programs)
	@/usr/bin/python3 tests/run.py --build $(O) --dist $(DIST) --only lab

# Longer than make test has time for: INPUTS mutations of each fuzz target's seeds.
INPUTS ?= 5000000
fuzz: $(O)/.packages-test $(fuzz-programs)
	@for name in $(basename $(fuzz-src)); do $(O)/test/$$name $$name.seeds $(INPUTS) || exit 1; done

# Power cuts under a key-value store, more than make test has time for; the same again with the SEED that a failure names.
CUTS ?= 250000
SEED ?= 2
cuts: $(O)/test/lib/kv/test/log_cut
	@$< $(CUTS) $(SEED)

# Networks full of stacks (docs/simulator.md), more than make test has time for: SEEDS of them, from FIRST on.
SEEDS ?= 100000
FIRST ?= 1
seeds: $(simulator)
	@$< $(FIRST) $(SEEDS)

# The table of goodput by loss and delay, made anew: what changes it is to be meant.
goodput: $(goodput)
	@$< > docs/goodput.md && git --no-pager diff --stat docs/goodput.md

# What make test does shortened: a gibibyte each way through a lossy router, a flood of half a minute.
long: $(O)/.packages-test $(test-programs)
	@SKERRY_LONG=1 /usr/bin/python3 -m pytest -q -p no:cacheprovider -rP -m long tests/blackbox

bench: $(O)/.packages-test all $(bench-programs)
	@/usr/bin/python3 bench/run.py --build $(O) --dist $(DIST)

lint: $(O)/.packages-test
	@/usr/bin/python3 tests/house.py
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')

# skerry-cc has an include directory of its own, since in PREFIX's a guest would find the host's headers as well. What is
# for debugging is stripped: it names sources that are not installed.
bindir := $(DESTDIR)$(PREFIX)/bin
incdir := $(DESTDIR)$(PREFIX)/include
libdir := $(DESTDIR)$(PREFIX)/lib/skerry
share  := $(DESTDIR)$(PREFIX)/share
libraries := $(patsubst %,$(O)/%/libskerry.a,unix $(guests))
install: $(O)/skerry $(tenders) $(libraries) $(O)/libskerry-net.a $(O)/man/skerry.1 \
		$(addprefix $(O)/completion/,$(shells))
	install -d $(bindir) $(incdir)/skerry $(addprefix $(libdir)/,guest guest-include include unix $(guests))
	install -s -m 755 $(O)/skerry $(tenders) $(bindir)
	install -m 755 tool/skerry-cc $(bindir)
	install -m 755 tool/check-image tool/make-image $(libdir)
	install -m 644 include/skerry/*.h $(incdir)/skerry
	ln -sfn ../../../include/skerry $(libdir)/include/skerry
	install -m 644 platform/platform.h $(libdir)/include
	install -m 644 platform/guest/image.ld $(libdir)/guest
	cp -P $(O)/guest-include/* $(libdir)/guest-include
	for target in unix $(guests); do install -m 644 $(O)/$$target/libskerry.a $(libdir)/$$target; done
	install -m 644 $(O)/libskerry-net.a $(DESTDIR)$(PREFIX)/lib
	install -D -t $(DESTDIR)$(PREFIX)/lib/pkgconfig -m 644 tool/skerry-net.pc
	install -D -t $(share)/man/man1 -m 644 $(O)/man/*.1
	install -D -m 644 $(O)/completion/bash $(share)/bash-completion/completions/skerry
	install -D -m 644 $(O)/completion/zsh $(share)/zsh/site-functions/_skerry
	install -D -m 644 $(O)/completion/fish $(share)/fish/vendor_completions.d/skerry.fish
	strip -g $(libdir)/*/libskerry.a $(DESTDIR)$(PREFIX)/lib/libskerry-net.a

clean:
	rm -rf $(O) $(DIST)
