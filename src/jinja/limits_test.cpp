// Templates that would take the machine's stack, time or memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/error.h"
#include "jinja/template.h"

namespace lmpo::jinja::limits_test {
namespace {

using testing::AnyOf;
using ::testing::HasSubstr;

// The text, or what refuses it.
std::string outcome(const std::string& text, const Limits& limits = {}) {
  try {
    return Template::parse(text, "t").render(ordered_json::object(), 0, limits);
  } catch (const UserError& error) {
    return error.what();
  }
}

std::string times(std::size_t count, const std::string& part) {
  std::string text;
  text.reserve(count * part.size());
  for (std::size_t i = 0; i < count; ++i) {
    text += part;
  }
  return text;
}

// A form that can be repeated: before, then `open` many times, `middle`, `close` as often, after.
struct Form {
  const char* name;
  std::string before, open, middle, close, after;

  std::string repeated(std::size_t count) const {
    return before + times(count, open) + middle + times(count, close) + after;
  }
};

// Each is nested by the parser, by the tree it makes, or by the interpreter.
const Form kNested[] = {
    {"attribute", "{{ x", ".a", "", "", " }}"},
    {"filter", "{{ 'a'", "|trim", "", "", " }}"},
    {"filter with arguments", "{{ 'a'", "|trim('b')", "", "", " }}"},
    {"item", "{{ 'a'", "[0]", "", "", " }}"},
    {"slice", "{{ 'a'", "[:]", "", "", " }}"},
    {"call", "{{ dict", "().copy", "", "", "() }}"},
    {"test", "{{ 1", " is number", "", "", " }}"},
    {"else", "{{ ", "0 if 0 else ", "1", "", " }}"},
    {"inline if", "{{ 1", " if 1 else 0 if 1", "", "", " else 0 }}"},
    {"not", "{{ ", "not ", "1", "", " }}"},
    {"minus", "{{ ", "-", "1", "", " }}"},
    {"plus", "{{ ", "+", "1", "", " }}"},
    {"bracket", "{{ ", "(", "1", ")", " }}"},
    {"list", "{{ ", "[", "1", "]", " }}"},
    {"dictionary", "{{ ", "{1:", "1", "}", " }}"},
    {"key", "{{ ", "{}[", "1", "]", " }}"},
    {"argument", "{{ ", "1|d(", "1", ")", " }}"},
    {"named argument", "{{ ", "dict(a=", "1", ")", " }}"},
    {"arguments", "{{ ", "range(*[", "1", "])", " }}"},
    {"named arguments", "{{ ", "dict(**{'a':", "1", "})", " }}"},
    {"target", "{% set ", "(", "a", ")", " = 1 %}"},
    {"if", "", "{% if 1 %}", "a", "{% endif %}", ""},
    {"for", "", "{% for a in [1] %}", "a", "{% endfor %}", ""},
    {"set", "", "{% set a %}", "a", "{% endset %}", ""},
    {"macro", "", "{% macro a() %}", "a", "{% endmacro %}", ""},
    {"call block", "", "{% call dict() %}", "a", "{% endcall %}", ""},
    {"filter block", "", "{% filter trim %}", "a", "{% endfilter %}", ""},
    {"filters of a block", "{% filter trim", "|trim", "", "", " %}{% endfilter %}"},
    {"with", "", "{% with %}", "a", "{% endwith %}", ""},
    {"generation", "", "{% generation %}", "a", "{% endgeneration %}", ""},
};

TEST(JinjaLimits, RefusesWhatIsNestedTooDeeply) {
  for (const Form& form : kNested) {
    SCOPED_TRACE(form.name);
    EXPECT_THAT(outcome(form.repeated(60'000)), HasSubstr("nested too deeply"));
    EXPECT_THAT(outcome(form.repeated(201)), HasSubstr("nested too deeply"));
    EXPECT_THAT(outcome(form.repeated(15)), ::testing::Not(HasSubstr("deeply")));
  }
}

// Operators, lists and branches of any length take no more of the stack than short ones.
TEST(JinjaLimits, ChainsMayBeLong) {
  constexpr std::size_t kMany = 60'000;
  const auto chain = [](const std::string& part, const std::string& last) {
    return outcome("{{ " + times(kMany, part) + last + " }}");
  };
  EXPECT_EQ(chain("1 and ", "2"), "2");
  EXPECT_EQ(chain("0 or ", "2"), "2");
  EXPECT_EQ(chain("1+", "1"), "60001");
  EXPECT_EQ(chain("1-", "1"), "-59999");
  EXPECT_EQ(chain("1*", "2"), "2");
  EXPECT_EQ(chain("1//", "1"), "1");
  EXPECT_EQ(chain("1/", "1"), "1.0");
  EXPECT_EQ(chain("1%", "2"), "0");
  EXPECT_EQ(chain("1**", "1"), "1");
  EXPECT_EQ(chain("1==", "1"), "True");
  EXPECT_EQ(chain("1<=", "1"), "True");
  EXPECT_EQ(chain("'a' ~ ", "'a'"), std::string(kMany + 1, 'a'));
  EXPECT_EQ(chain("'a' ", "'a'"), std::string(kMany + 1, 'a'));
  EXPECT_EQ(outcome("{{ [" + times(kMany, "1,") + "]|length }}"), "60000");
  EXPECT_EQ(outcome("{% if 0 %}" + times(kMany, "{% elif 0 %}") + "{% else %}a{% endif %}"), "a");
  EXPECT_EQ(outcome(times(kMany, "{{ 1 }}")), std::string(kMany, '1'));
}

// Values hold each other as deeply as a template likes; what walks over them does not follow.
TEST(JinjaLimits, ValuesMayBeDeep) {
  const auto deep = [](const std::string& step, const std::string& end,
                       std::size_t count = 60'000) {
    return outcome("{% set n = namespace() %}{% set x = [] %}" + times(count, step) + end);
  };
  const std::string list = "{% set x = [x] %}";
  EXPECT_EQ(deep(list, "a"), "a");
  EXPECT_EQ(deep("{% set x = {1: x} %}", "a"), "a");
  EXPECT_EQ(deep("{% set x = dict(a=x) %}", "a"), "a");
  EXPECT_EQ(deep("{% set x = [x].index %}", "a"), "a");
  EXPECT_EQ(deep("{% set x = [x]|map('list') %}", "a"), "a");
  const std::string both = "{% set x = [x] %}{% set y = [y|d([])] %}";
  for (const char* end : {"{{ x }}", "{{ x|tojson }}", "{{ x == y }}", "{{ x < y }}",
                          "{{ x in [y] }}", "{% set n.x = x %}"}) {
    EXPECT_THAT(deep(both, end, 2'000), AnyOf(HasSubstr("deep"), HasSubstr("contain itself")))
        << end;
  }
  EXPECT_THAT(outcome("{% set n = namespace() %}{% set n.n = [{'a': n}] %}"),
              HasSubstr("contain itself"));
  EXPECT_THAT(outcome("{% set n = namespace() %}{% set n.n = [n].index %}"),
              HasSubstr("contain itself"));
  EXPECT_THAT(
      outcome("{% set n = namespace() %}{% for i in [n] %}{% set n.l = loop %}{% endfor %}"),
      HasSubstr("contain itself"));
}

TEST(JinjaLimits, CallsMayNotBeDeep) {
  const std::string nested = times(40, "{% if 1 %}") + "{{ " + times(50, "(") + "f()" +
                             times(50, ")") + " }}" + times(40, "{% endif %}");
  for (const std::string& text :
       {std::string("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
        std::string("{% macro f(x) %}{{ f([x]) }}{% endmacro %}{{ f(1) }}"),
        std::string("{% for x in [1] recursive %}{{ loop([x]) }}{% endfor %}"),
        std::string(
            "{% macro f() %}{{ caller() }}{% endmacro %}{% macro g() %}{% call f() %}{{ g() }}"
            "{% endcall %}{% endmacro %}{{ g() }}"),
        "{% macro f() %}" + nested + "{% endmacro %}{{ f() }}",
        "{% macro f() %}{{ " + times(180, "not ") + "f() }}{% endmacro %}{{ f() }}"}) {
    EXPECT_THAT(outcome(text), HasSubstr("nested too deeply"));
  }
  EXPECT_EQ(outcome("{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}"
                    "{{ f(100) }}")
                .substr(0, 8),
            "10099989");
}

// s: a text of 35.2 million bytes, a little more than half of the longest.
const std::string kLongText = "{% set s = 'aaaaaaaaaaaaaaaa' * 2200000 %}";
// A 64th of the usual limits, and a text that is as long in proportion.
constexpr Limits kSmall = {.bytes = Limits{}.bytes / 64,
                           .items = Limits{}.items / 64,
                           .memory = Limits{}.memory / 64,
                           .work = Limits{}.work / 64};
const std::string kText = "{% set s = 'aaaaaaaaaaaaaaaa' * 34375 %}";

std::size_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) << 10;
}

TEST(JinjaLimits, MemoryIsLimited) {
  const char* const refused[] = {
      "{{ s ~ s }}",
      "{{ s + s }}",
      "{{ s * 2 }}",
      "{{ s.join([s, s]) }}",
      "{{ ''.join([s] * 10000) }}",
      "{{ ([s] * 100)|join }}",
      "{{ s.split('a') }}",
      "{{ s|list }}",
      "{{ s.replace('a', 'bb') }}",
      "{{ s|replace('', 'b') }}",
      "{{ ([s] * 2)|string }}",
      "{{ ([s] * 2)|tojson }}",
      "{{ [1, 2, 3]|tojson(separators=(s, s)) }}",
      "{{ '%s%s' % (s, s) }}",
      "{{ '{}{}'.format(s, s) }}",
      "{{ ([s] * 100)|sum(start='') }}",
      "{{ ([s] * 1000)|map('upper')|list }}",
      "{{ ([s] * 1000)|sort }}",
      "{{ [{}[s ~ 1], {}[s ~ 2], {}[s ~ 3], {}[s ~ 4], {}[s ~ 5], {}[s ~ 6], {}[s ~ 7], {}[s ~ 8]] "
      "}}",
      "{% set m = namespace(l=[]) %}{% for i in range(9) %}{% set m.l = m.l + [s ~ i] %}{% endfor "
      "%}",
      "{% macro f(n) %}{% set x = s ~ n %}{{ f(n + 1) }}{{ x[0] }}{% endmacro %}{{ f(1) }}",
      "{{ s }}{{ s }}",
      "{% set x %}{{ s }}{{ s }}{% endset %}",
      "{% filter upper %}{{ s }}{{ s }}{% endfilter %}",
      "{{ ('a\n' * 100000)|indent(1000) }}",
      "{{ 'ab' * 99999999999 }}",
      "{{ 'a'|center(99999999999) }}",
      "{{ 'a'.ljust(99999999999) }}",
      "{{ '1'.zfill(99999999999) }}",
      "{{ '%999999999d' % 1 }}",
      "{{ '{:>999999999}'.format(1) }}",
      "{{ 'a\n'|indent(99999999999) }}",
      "{{ [1] * 99999999999 }}",
      "{{ [1]|batch(99999999999, 1)|list }}",
      "{{ [1]|slice(99999999999)|list }}",
      "{{ range(99999999) }}",
      "{{ dict(*range(9999)) }}",
  };
  const std::size_t before = peak_memory();
  for (const char* text : refused) {
    SCOPED_TRACE(text);
    EXPECT_THAT(outcome(kText + text, kSmall),
                AnyOf(HasSubstr("too large"), HasSubstr("memory"), HasSubstr("too long"),
                      HasSubstr("too many"), HasSubstr("more than"), HasSubstr("above")));
  }
  EXPECT_LT(peak_memory() - before, 300U << 20);  // most of it what the address sanitizer keeps
}

TEST(JinjaLimits, TheUsualLimitsAreThese) {
  EXPECT_EQ(outcome("{{ ('aaaaaaaa' * 8388608)|length }}"), "67108864");
  EXPECT_THAT(outcome("{{ ('aaaaaaaa' * 8388609)|length }}"), HasSubstr("67108864 bytes"));
  EXPECT_EQ(outcome("{{ ([1] * 1048576)|length }}"), "1048576");
  EXPECT_THAT(outcome("{{ ([1] * 1048577)|length }}"), HasSubstr("too large"));
  const std::string seven = kLongText + "{% set l = [s ~ 1, s ~ 2, s ~ 3, s ~ 4, s ~ 5, s ~ 6] %}";
  EXPECT_EQ(outcome(seven + "a"), "a");
  EXPECT_THAT(outcome(seven + "{% set m = s ~ 7 %}"), HasSubstr("more than 256 MB of memory"));
}

// What is shared is not copied: lists and attributes that all hold one text.
TEST(JinjaLimits, SharedTextsCostNothing) {
  EXPECT_EQ(outcome(kText + "{{ ([s] * 16000)|length }}", kSmall), "16000");
  EXPECT_EQ(outcome(kText + "{% for i in range(1000) %}{% set x = s %}{% endfor %}a", kSmall), "a");
}

TEST(JinjaLimits, WorkIsLimited) {
  const char* const refused[] = {
      "{% for i in range(999) %}{% set x = s|upper %}{% endfor %}",
      "{% set t = s ~ '' %}{% for i in range(999) %}{% set x = t == s %}{% endfor %}",
      "{% for i in range(999) %}{% set x = 'b' in s %}{% endfor %}",
      "{% for i in range(999) %}{% set x = s|trim('a') %}{% endfor %}",
      "{% for i in range(999) %}{% set x = s.partition('b') %}{% endfor %}",
      "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
      "{{ range(9999)|unique|list }}",
      "{% set x = [1] * 10000 %}{% for i in range(999) %}{% set y = 2 in x %}{% endfor %}",
      "{% set n = namespace(x=[]) %}{% for i in range(90) %}{% set n.x = [n.x, n.x] %}{% endfor %}",
  };
  for (const char* text : refused) {
    SCOPED_TRACE(text);
    EXPECT_THAT(outcome(kText + text, kSmall), HasSubstr("runs for too long"));
  }
}

// A search that does badly is one that compares the same bytes again and again.
TEST(JinjaLimits, SearchingIsLinear) {
  const std::string part = kLongText + "{% set p = s[:17000000] ~ 'b' %}";
  EXPECT_EQ(outcome(part + "{{ p in s }}"), "False");
  EXPECT_EQ(outcome(part + "{{ s.find(p) }}"), "-1");
  EXPECT_EQ(outcome(part + "{{ s.rfind('b' ~ s[:17000000]) }}"), "-1");
  EXPECT_EQ(outcome(part + "{{ s|trim(p)|length }}"), "0");
}

TEST(JinjaLimits, MessagesAreShort) {
  EXPECT_LT(outcome(kText + "{{ raise_exception(s) }}").size(), 3000u);
  EXPECT_LT(outcome(kText + "{{ {}[s].a }}").size(), 3000u);
}

TEST(JinjaLimits, LongTemplatesAreRefused) {
  EXPECT_THAT(outcome(std::string(5 << 20, 'a')), HasSubstr("too long"));
}

TEST(JinjaLimits, DeepInputsAreRefused) {
  ordered_json deep;
  for (int i = 0; i < 2000; ++i) {
    deep = ordered_json::array({std::move(deep)});
  }
  EXPECT_THROW(Template::parse("a", "t").render({{"messages", deep}}), UserError);
}

}  // namespace
}  // namespace lmpo::jinja::limits_test
