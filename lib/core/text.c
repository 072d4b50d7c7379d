/* SPDX-License-Identifier: ISC
 *
 * Formatted text: the conversions of C17, 7.21.6.1, without the streams.
 */
/* All of this is off the hot paths and in every image: size counts. */
#pragma GCC optimize("Os", "no-jump-tables")

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <skerry/text.h>

enum { FRACTION_MAX = 17 /* digits after the point: all that a double tells */ };

struct output {
	char *buf;
	size_t size, len; /* len goes on beyond size */
};

/* A conversion's flags, width, precision (-1: none) and length modifier ('H': hh, 'q': ll or j, 0: none). */
struct spec {
	bool left, zero, plus, space, alternate;
	int width, precision;
	char length;
};

static void put(struct output *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++, out->len++)
		if (out->len < out->size)
			out->buf[out->len] = text[i];
}

static void put_repeated(struct output *out, char c, size_t count)
{
	while (count-- > 0)
		put(out, &c, 1);
}

/* Puts a field: sign or base, zeros, digits or text; filled up to its width. */
static void put_field(struct output *out, const struct spec *spec, const char *prefix, size_t zeros, const char *body,
	size_t body_len)
{
	size_t len = strlen(prefix) + zeros + body_len;
	size_t fill = spec->width > 0 && (size_t)spec->width > len ? (size_t)spec->width - len : 0;

	if (!spec->left && !spec->zero)
		put_repeated(out, ' ', fill);
	put(out, prefix, strlen(prefix));
	put_repeated(out, '0', zeros + (!spec->left && spec->zero ? fill : 0));
	put(out, body, body_len);
	if (spec->left)
		put_repeated(out, ' ', fill);
}

static const char *sign_of(const struct spec *spec, bool negative)
{
	return negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
}

/* Writes number's digits so that they end before end; returns where they begin. 0 has none. */
static char *digits_before(char *end, uint64_t number, unsigned base, bool upper)
{
	for (; number != 0; number /= base)
		*--end = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[number % base];
	return end;
}

static void put_number(struct output *out, struct spec *spec, const char *prefix, uint64_t number, char conversion)
{
	bool octal = conversion == 'o', hex = conversion == 'x' || conversion == 'X' || conversion == 'p';
	char digits[24];
	char *end = digits + sizeof digits;
	char *begin = digits_before(end, number, octal ? 8 : hex ? 16 : 10, conversion == 'X');
	size_t len = (size_t)(end - begin);
	size_t least = spec->precision < 0 ? 1 : (size_t)spec->precision;

	if (spec->alternate && octal && least <= len)
		least = len + 1;
	if (spec->alternate && hex && number != 0)
		prefix = conversion == 'X' ? "0X" : "0x";
	if (spec->precision >= 0)
		spec->zero = false;
	put_field(out, spec, prefix, least > len ? least - len : 0, begin, len);
}

/* Takes the next decimal digit off a fraction of 128 bits behind the point. */
static char next_digit(unsigned __int128 *fraction)
{
	unsigned __int128 low = (unsigned __int128)(uint64_t)*fraction * 10;
	unsigned __int128 high = (*fraction >> 64) * 10 + (low >> 64);

	*fraction = high << 64 | (uint64_t)low;
	return (char)('0' + (int)(high >> 64));
}

/* Puts a number below 2^64, rounded to the precision, ties to even. 128 bits hold the fraction of every double down to
 * 2^-75 exactly, and what they do not hold is too little to matter for FRACTION_MAX digits. */
static void put_decimal(struct output *out, const struct spec *spec, const char *sign, double magnitude)
{
	int precision = spec->precision < 0 ? 6 : spec->precision < FRACTION_MAX ? spec->precision : FRACTION_MAX;
	uint64_t whole = (uint64_t)magnitude;
	double scaled = (magnitude - (double)whole) * 0x1p64;
	uint64_t upper = (uint64_t)scaled;
	unsigned __int128 fraction = (unsigned __int128)upper << 64 | (uint64_t)((scaled - (double)upper) * 0x1p64);
	const unsigned __int128 half = (unsigned __int128)1 << 127;
	char text[24 + 1 + FRACTION_MAX];
	char *point = text + 24, *end = point + 1, *begin, *carry;
	bool odd = whole & 1;

	for (int i = 0; i < precision; i++) {
		*end = next_digit(&fraction);
		odd = *end++ & 1;
	}
	if (fraction > half || (fraction == half && odd)) {
		for (carry = end; carry > point + 1 && carry[-1] == '9'; carry--)
			carry[-1] = '0';
		if (carry > point + 1)
			carry[-1]++;
		else
			whole++;
	}
	*point = '.';
	begin = digits_before(point, whole, 10, false);
	if (begin == point)
		*--begin = '0';
	if (precision == 0 && !spec->alternate)
		end = point;
	put_field(out, spec, sign, 0, begin, (size_t)(end - begin));
}

static void put_double(struct output *out, struct spec *spec, double number, bool upper)
{
	const char *sign = sign_of(spec, __builtin_signbit(number));
	double magnitude = number < 0 ? -number : number;

	if (magnitude < 0x1p64) {
		put_decimal(out, spec, sign, magnitude);
		return;
	}
	spec->zero = false;
	if (number != number)
		put_field(out, spec, sign, 0, upper ? "NAN" : "nan", 3);
	else if (magnitude > 0x1.fffffffffffffp1023)
		put_field(out, spec, sign, 0, upper ? "INF" : "inf", 3);
	else
		put_field(out, spec, number < 0 ? "<-" : ">", 0, "18446744073709551615", 20);
}

static void put_string(struct output *out, struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";
	spec->zero = false;
	put_field(out, spec, "", 0, text, spec->precision < 0 ? strlen(text) : strnlen(text, (size_t)spec->precision));
}

/* Arguments. They are reached by pointer, because a function may not hand its va_list on by reference. ------------- */

struct arguments {
	va_list list;
};

/* All that is wider than an int has 64 bits here. What is narrower comes as an int. */
_Static_assert(sizeof(long) == 8 && sizeof(size_t) == 8 && sizeof(ptrdiff_t) == 8, "one type for all of them");

static int64_t next_signed(struct arguments *arguments, char length)
{
	int number;

	if (length != 0 && length != 'h' && length != 'H')
		return va_arg(arguments->list, int64_t);
	number = va_arg(arguments->list, int);
	return length == 'H' ? (signed char)number : length == 'h' ? (short)number : number;
}

static uint64_t next_unsigned(struct arguments *arguments, char length)
{
	uint64_t number = (uint64_t)next_signed(arguments, length);

	switch (length) {
	case 'H':
		return (unsigned char)number;
	case 'h':
		return (unsigned short)number;
	case 0:
		return (unsigned)number;
	default:
		return number;
	}
}

static double next_double(struct arguments *arguments, char length)
{
	return length == 'L' ? (double)va_arg(arguments->list, long double) : va_arg(arguments->list, double);
}

/* Reads "*" or digits; larger numbers than INT_MAX / 16 are cut. */
static const char *read_number(const char *format, struct arguments *arguments, int *number)
{
	*number = 0;
	if (*format == '*') {
		*number = va_arg(arguments->list, int);
		return format + 1;
	}
	for (; *format >= '0' && *format <= '9'; format++)
		if (*number < INT_MAX / 160)
			*number = *number * 10 + (*format - '0');
	return format;
}

/* Reads what lies between % and the conversion's letter; returns where that is. */
static const char *read_spec(const char *format, struct arguments *arguments, struct spec *spec)
{
	*spec = (struct spec){ .precision = -1 };
	for (;; format++) {
		spec->left |= *format == '-';
		spec->zero |= *format == '0';
		spec->plus |= *format == '+';
		spec->space |= *format == ' ';
		spec->alternate |= *format == '#';
		if (!*format || !strchr("-0+ #", *format))
			break;
	}
	format = read_number(format, arguments, &spec->width);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = spec->width == INT_MIN ? INT_MAX : -spec->width;
	}
	if (*format == '.')
		format = read_number(format + 1, arguments, &spec->precision);
	if (*format && strchr("hlLjzt", *format)) {
		bool twice = format[1] == format[0] && (*format == 'h' || *format == 'l');

		spec->length = *format == 'j' || (twice && *format == 'l') ? 'q' : twice ? 'H' : *format;
		format += 1 + twice;
	}
	return format;
}

/* Puts the next argument, or arguments. false: the conversion is unknown. */
static bool convert(struct output *out, struct spec *spec, char conversion, struct arguments *arguments)
{
	int64_t number;
	char c;

	switch (conversion) {
	case 'd':
	case 'i':
		number = next_signed(arguments, spec->length);
		put_number(out, spec, sign_of(spec, number < 0), number < 0 ? -(uint64_t)number : (uint64_t)number,
			conversion);
		return true;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		put_number(out, spec, "", next_unsigned(arguments, spec->length), conversion);
		return true;
	case 'p':
		spec->alternate = true;
		put_number(out, spec, "", (uintptr_t)va_arg(arguments->list, void *), conversion);
		return true;
	case 'c':
		if (spec->length != 0)
			return false;
		c = (char)va_arg(arguments->list, int);
		spec->zero = false;
		put_field(out, spec, "", 0, &c, 1);
		return true;
	case 's':
		if (spec->length == 0)
			put_string(out, spec, va_arg(arguments->list, const char *));
		return spec->length == 0;
	case '%':
		put(out, "%", 1);
		return true;
	default:
		if (!conversion || !strchr("fFeEgGaA", conversion))
			return false;
		put_double(out, spec, next_double(arguments, spec->length), conversion < 'a');
		return true;
	}
}

size_t text_vformat(char *buf, size_t size, const char *format, va_list args)
{
	struct output out = { buf, size, 0 };
	struct arguments arguments;
	struct spec spec;

	va_copy(arguments.list, args);
	while (*format) {
		size_t plain = (size_t)(strchrnul(format, '%') - format);
		const char *letter;

		put(&out, format, plain);
		format += plain;
		if (!*format)
			break;
		letter = read_spec(format + 1, &arguments, &spec);
		if (!convert(&out, &spec, *letter, &arguments)) {
			put(&out, format, strlen(format));
			break;
		}
		format = letter + 1;
	}
	va_end(arguments.list);
	if (size > 0)
		buf[out.len < size ? out.len : size - 1] = 0;
	return out.len;
}

size_t text_format(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	size_t len;

	va_start(args, format);
	len = text_vformat(buf, size, format, args);
	va_end(args);
	return len;
}
