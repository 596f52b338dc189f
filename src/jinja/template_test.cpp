#include "jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace lmpo::jinja {
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

// Every text is jinja2's, in the sandbox of transformers (tools/oracle/jinja_golden.py).
TEST(JinjaTemplate, RendersAsJinja2) {
  const ordered_json golden =
      ordered_json::parse(read_file(LMPO_SOURCE_DIR "/src/jinja/testdata/golden.json"));
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

TEST(JinjaTemplate, NamesWhatIsNotSupportedWithItsLine) {
  EXPECT_EQ(refusal("a\nb {% include 'x' %}"),
            "test.jinja:2: the statement 'include' is not supported");
  EXPECT_EQ(refusal("{{ 1 }}\n\n{{ 'a'|urlize }}"),
            "test.jinja:3: the filter 'urlize' is not supported");
  EXPECT_EQ(refusal("\n{{ 1 is filter }}"), "test.jinja:2: the test 'filter' is not supported");
  EXPECT_EQ(refusal("{% if 1 %}\n{% for x in y recursive %}{% endfor %}{% endif %}"),
            "test.jinja:2: recursive loops are not supported");
  EXPECT_EQ(refusal("\n{{ 'a'.swapcase() }}"),
            "test.jinja:2: the method 'swapcase' of a string is not supported");
}

TEST(JinjaTemplate, NamesTheLineOfAMistake) {
  EXPECT_EQ(refusal("a\n{% if 1 %}\n"), "test.jinja:2: the block that begins here has no 'endif'");
  EXPECT_EQ(refusal("a\n\n{{ x.y }}"), "test.jinja:3: 'x' is undefined");
  EXPECT_EQ(refusal("{{ 1 +\n }}"),
            "test.jinja:2: expected an expression, found the end of the tag");
  EXPECT_EQ(refusal("{% for i in [1] %}\n{{ raise_exception('no') }}{% endfor %}"),
            "test.jinja:2: the template refuses: no");
}

TEST(JinjaTemplate, EndsWhateverTheTemplateDoes) {
  EXPECT_THAT(refusal("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}"
                      "{% endfor %}"),
              testing::HasSubstr("runs for too long"));
  EXPECT_THAT(refusal("{{ 'ab' * 99999999999 }}"), testing::HasSubstr("too large"));
  EXPECT_THAT(refusal("{% set n = namespace(x='aa') %}{% for i in range(99) %}"
                      "{% set n.x = n.x ~ n.x %}{% endfor %}"),
              testing::HasSubstr("too large"));
  EXPECT_THAT(refusal("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
              testing::HasSubstr("too deeply"));
  EXPECT_THAT(refusal("{{ " + std::string(10000, '(') + "1" + std::string(10000, ')') + " }}"),
              testing::HasSubstr("too deeply"));
  EXPECT_THAT(refusal("{% set n = namespace() %}{% set n.n = [{'a': n}] %}"),
              testing::HasSubstr("contain itself"));
  EXPECT_THAT(refusal("{% set n = namespace(x=[]) %}{% for i in range(90) %}"
                      "{% set n.x = [n.x, n.x] %}{% endfor %}"),
              testing::HasSubstr("runs for too long"));
  EXPECT_THAT(refusal("{{ 99999999999999999999 }}"), testing::HasSubstr("too large"));
}

TEST(JinjaTemplate, RefusesInvalidUtf8) {
  EXPECT_THAT(refusal("a\xFF"), testing::HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace lmpo::jinja
