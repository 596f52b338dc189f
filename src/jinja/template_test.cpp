#include "jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/test_paths.h"

namespace lmpo::jinja::template_test {
namespace {

std::string render(std::string_view text, const ordered_json& variables = ordered_json::object()) {
  return Template::parse(text, "test.jinja").render(variables);
}

std::string refusal(std::string_view text) {
  try {
    render(text);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

void expect_golden(const std::string& file) {
  const ordered_json golden =
      ordered_json::parse(read_file(source_folder() / "src/jinja/testdata" / file));
  ASSERT_GT(golden.at("cases").size(), 100u);
  for (const auto& each : golden.at("cases")) {
    const std::string text = each.at("template").get<std::string>();
    SCOPED_TRACE(text);
    if (each.at("text").is_null()) {
      EXPECT_THROW(render(text, golden.at("variables")), UserError);
      continue;
    }
    std::string rendered;
    ASSERT_NO_THROW(
        try { rendered = render(text, golden.at("variables")); } catch (const UserError& error) {
          ADD_FAILURE() << error.what();
        });
    EXPECT_EQ(rendered, each.at("text").get<std::string>());
  }
}

// Every text is jinja2's, in the sandbox of transformers (tools/oracle/jinja_golden.py).
TEST(JinjaTemplate, RendersAsJinja2) {
  expect_golden("golden.json");
}

// Filters, tests, methods and operators over all kinds of values (tools/oracle/jinja_battery.py).
TEST(JinjaTemplate, RendersABatteryAsJinja2) {
  expect_golden("battery.json");
}

TEST(JinjaTemplate, AnUnknownFilterMattersWhereItIsReached) {
  EXPECT_EQ(render("{% if 1 %}a{% elif 0 is odder %}{{ 1|from_json }}{% endif %}"), "a");
  EXPECT_EQ(render("{{ 1 if 1 else 1|from_json }}"), "1");
  EXPECT_EQ(refusal("{% if 1 %}\n{{ 1|from_json }}{% endif %}"),
            "test.jinja:2: the filter 'from_json' is not supported");
  // Outside of branches it is known to fail before any row is read.
  EXPECT_THROW(Template::parse("{% for x in [] %}{{ 1|from_json }}{% endfor %}", "t"), UserError);
}

TEST(JinjaTemplate, WritesTheDateItIsGiven) {
  setenv("TZ", "UTC", 1);
  tzset();
  const Template dated = Template::parse("{{ strftime_now('%d %b %Y|%H') }}", "test.jinja");
  EXPECT_EQ(dated.render(ordered_json::object(), 86400 * 365), "01 Jan 1971|00");
}

TEST(JinjaTemplate, NamesWhatIsNotSupportedWithItsLine) {
  EXPECT_EQ(refusal("a\nb {% include 'x' %}"),
            "test.jinja:2: the statement 'include' is not supported");
  EXPECT_EQ(refusal("{{ 1 }}\n\n{{ 'a'|urlize }}"),
            "test.jinja:3: the filter 'urlize' is not supported");
  EXPECT_EQ(refusal("\n{{ 1 is odder }}"), "test.jinja:2: the test 'odder' is not supported");
  EXPECT_EQ(refusal("\n{{ 'a'.translate() }}"),
            "test.jinja:2: the method 'translate' of a string is not supported");
}

TEST(JinjaTemplate, NamesTheLineOfAMistake) {
  EXPECT_EQ(refusal("a\n{% if 1 %}\n"), "test.jinja:2: the block that begins here has no 'endif'");
  EXPECT_EQ(refusal("a\n\n{{ x.y }}"), "test.jinja:3: 'x' is undefined");
  EXPECT_EQ(refusal("{{ 1 +\n }}"),
            "test.jinja:2: expected an expression, found the end of the tag");
  EXPECT_EQ(refusal("{% for i in [1] %}\n{{ raise_exception('no') }}{% endfor %}"),
            "test.jinja:2: the template refuses: no");
}

TEST(JinjaTemplate, RefusesInvalidUtf8) {
  EXPECT_THAT(refusal("a\xFF"), ::testing::HasSubstr("UTF-8"));
}

// The spans are those of transformers' AssistantTracker (tools/oracle/assistant_masks.py compares
// them for whole templates), in bytes.
TEST(JinjaTemplate, MarksAreWhatGenerationBlocksWrote) {
  const auto marks = [](std::string_view text) {
    const MarkedText marked =
        Template::parse(text, "t").render_marked({{"list", {"é", "", "b"}}, {"a", "x"}});
    std::vector<std::string> texts;
    for (const Span& span : marked.marks) {
      texts.push_back(marked.text.substr(span.begin, span.end - span.begin));
    }
    return texts;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(marks("a{% generation %}b{{ 1 }}{% endgeneration %}c"), (Texts{"b1"}));
  EXPECT_EQ(marks("{% for e in list %}[{% generation %}{{ e }}{% endgeneration %}]{% endfor %}"),
            (Texts{"é", "b"}));
  EXPECT_EQ(marks("{% generation %}\n{% if 1 %}x {%- endif %}\n{%- endgeneration -%}  y"),
            (Texts{"x"}));
  EXPECT_EQ(marks("{% set b = 'no' %}{% generation %}{% set b = 'yes' %}{{ b }}"
                  "{% endgeneration %}{{ b }}"),
            (Texts{"yes"}));
  EXPECT_TRUE(marks("{{ a }}").empty());
  EXPECT_TRUE(
      Template::parse("{% if 0 %}{% generation %}{% endgeneration %}{% endif %}", "t").has_marks());
  EXPECT_FALSE(Template::parse("{{ generation }}", "t").has_marks());
}

TEST(JinjaTemplate, AMarkWithoutAPlaceIsRefusedWhereItsPlaceMatters) {
  for (const char* text :
       {"{% macro m() %}{% generation %}x{% endgeneration %}{% endmacro %}\n{{ m() }}",
        "{% set b %}{% generation %}x{% endgeneration %}{% endset %}\n{{ b }}",
        "{% filter upper %}{% generation %}x{% endgeneration %}{% endfilter %}"}) {
    const Template parsed = Template::parse(text, "t");
    EXPECT_EQ(parsed.render(ordered_json::object()).back() | 0x20, 'x') << text;
    EXPECT_THROW(parsed.render_marked(ordered_json::object()), UserError) << text;
  }
}

TEST(JinjaTemplate, KnowsTheNamesItReads) {
  const Template parsed = Template::parse(
      "{% if enable_thinking is defined and not tools %}{{ m.field['key'] }}{% endif %}"
      "{% for x in list|sort(attribute=by) %}{% set kept = 1 %}{% endfor %}",
      "t");
  for (const char* name : {"enable_thinking", "tools", "m", "list", "by"}) {
    EXPECT_TRUE(parsed.reads(name)) << name;
  }
  for (const char* name : {"field", "key", "x", "kept", "true", ""}) {
    EXPECT_FALSE(parsed.reads(name)) << name;
  }
}

}  // namespace
}  // namespace lmpo::jinja::template_test
