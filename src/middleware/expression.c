#include "middleware/expression.h"

#include <math.h>
#include <stdlib.h>

#define DEPTH_MAX 64

enum node_type { NUMBER, CALL, NOT, AND, OR, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL };

struct expression_node {
    enum node_type type;
    bool claims;                    /* true or false, not a number */
    double number;
    struct expression_call call;
    const struct expression_node *left, *right;
};

struct parser {
    struct str text;
    size_t at;
    const struct expression_function *functions;
    struct arena *arena;
    struct expression *expression;
    struct str error;
    size_t error_at;
    unsigned depth;
};

static const struct expression_node *parse_or(struct parser *parser);

static const struct expression_node *fail(struct parser *parser, size_t at, struct str error)
{
    if (parser->error.len == 0) {
        parser->error = error;
        parser->error_at = at;
    }
    return NULL;
}

static char peek(struct parser *parser)
{
    while (parser->at < parser->text.len &&
           (parser->text.data[parser->at] == ' ' || parser->text.data[parser->at] == '\t'))
        parser->at++;
    return parser->at < parser->text.len ? parser->text.data[parser->at] : '\0';
}

static bool take(struct parser *parser, struct str token)
{
    peek(parser);
    if (!str_starts(str_from_index(parser->text, parser->at), token))
        return false;
    parser->at += token.len;
    return true;
}

static const struct expression_node *new_node(struct parser *parser, enum node_type type, bool claims,
                                              const struct expression_node *left, const struct expression_node *right)
{
    struct expression_node *node = arena_new(parser->arena, struct expression_node);
    node->type = type;
    node->claims = claims;
    node->left = left;
    node->right = right;
    return node;
}

static bool parse_number(struct parser *parser, double *ret_number)
{
    char digits[32];
    size_t len = 0;
    peek(parser);
    struct str rest = str_from_index(parser->text, parser->at);
    while (len < rest.len && len < sizeof(digits) - 1 && (ascii_digit(rest.data[len]) || rest.data[len] == '.')) {
        digits[len] = rest.data[len];
        len++;
    }
    digits[len] = '\0';
    char *end;
    *ret_number = strtod(digits, &end);
    if (len == 0 || *end != '\0' || !isfinite(*ret_number))
        return false;
    parser->at += len;
    return true;
}

static const struct expression_node *parse_call(struct parser *parser)
{
    size_t began = parser->at;
    while (parser->at < parser->text.len && ascii_alpha(parser->text.data[parser->at]))
        parser->at++;
    struct str name = str_of(parser->text.data + began, parser->at - began);
    struct expression_call call = {.index = parser->expression->call_count};
    const struct expression_function *function = parser->functions;
    while (function->name != NULL && !str_equal(str_from(function->name), name))
        function++;
    if (function->name == NULL)
        return fail(parser, began, arena_printf(parser->arena, "there is no function '%.*s'", STR_ARGS(name)));
    if (!take(parser, S("(")))
        return fail(parser, parser->at, S("'(' is missing"));
    call.function = (unsigned)(function - parser->functions);
    for (unsigned i = 0; i < function->arguments; i++)
        if ((i != 0 && !take(parser, S(","))) || !parse_number(parser, &call.arguments[i]))
            return fail(parser, parser->at, arena_printf(parser->arena, "%s takes %u number%s", function->name,
                                                         function->arguments, function->arguments == 1 ? "" : "s"));
    if (!take(parser, S(")")))
        return fail(parser, parser->at, S("')' is missing"));
    if (parser->expression->call_count == EXPRESSION_CALLS_MAX)
        return fail(parser, began, S("there are too many functions"));
    struct expression_node *node = arena_new(parser->arena, struct expression_node);
    node->type = CALL;
    node->claims = function->claims;
    node->call = call;
    parser->expression->calls[parser->expression->call_count++] = &node->call;
    return node;
}

static const struct expression_node *parse_operand(struct parser *parser)
{
    char next = peek(parser);
    if (take(parser, S("("))) {
        const struct expression_node *inner = parse_or(parser);
        if (inner != NULL && !take(parser, S(")")))
            return fail(parser, parser->at, S("')' is missing"));
        return inner;
    }
    if (ascii_alpha(next))
        return parse_call(parser);
    double number;
    if (!parse_number(parser, &number))
        return fail(parser, parser->at, S("a number or a function is missing"));
    struct expression_node *node = arena_new(parser->arena, struct expression_node);
    node->type = NUMBER;
    node->number = number;
    return node;
}

static const struct expression_node *parse_comparison(struct parser *parser)
{
    static const struct {
        struct str text;
        enum node_type type;
    } operators[] = {{STR("<="), LESS_EQUAL}, {STR(">="), GREATER_EQUAL}, {STR("<"), LESS},
                     {STR(">"), GREATER},     {STR("=="), EQUAL},         {STR("!="), NOT_EQUAL}};
    const struct expression_node *left = parse_operand(parser);
    if (left == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t at = parser->at;
        if (!take(parser, operators[i].text))
            continue;
        const struct expression_node *right = parse_operand(parser);
        if (right == NULL)
            return NULL;
        if (left->claims || right->claims)
            return fail(parser, at, S("only numbers can be compared"));
        return new_node(parser, operators[i].type, true, left, right);
    }
    return left;
}

static const struct expression_node *parse_not(struct parser *parser)
{
    if (peek(parser) != '!' || str_starts(str_from_index(parser->text, parser->at), S("!=")))
        return parse_comparison(parser);
    size_t at = parser->at++;
    if (++parser->depth > DEPTH_MAX)
        return fail(parser, at, S("this is nested too deeply"));
    const struct expression_node *inner = parse_not(parser);
    parser->depth--;
    if (inner == NULL)
        return NULL;
    return inner->claims ? new_node(parser, NOT, true, inner, NULL) : fail(parser, at, S("a number cannot be negated"));
}

static const struct expression_node *parse_row(struct parser *parser, enum node_type type)
{
    struct str sign = type == AND ? S("&&") : S("||");
    const struct expression_node *left = type == AND ? parse_not(parser) : parse_row(parser, AND);
    while (left != NULL && take(parser, sign)) {
        size_t at = parser->at - sign.len;
        const struct expression_node *right = type == AND ? parse_not(parser) : parse_row(parser, AND);
        if (right == NULL)
            return NULL;
        if (!left->claims || !right->claims)
            return fail(parser, at, S("a number stands where a comparison should"));
        left = new_node(parser, type, true, left, right);
    }
    return left;
}

static const struct expression_node *parse_or(struct parser *parser)
{
    if (++parser->depth > DEPTH_MAX)
        return fail(parser, parser->at, S("this is nested too deeply"));
    const struct expression_node *node = parse_row(parser, OR);
    parser->depth--;
    return node;
}

bool expression_parse(struct str text, const struct expression_function *functions, struct arena *arena,
                      struct expression *ret_expression, struct str *ret_error, size_t *ret_offset)
{
    *ret_expression = (struct expression){.root = NULL};
    struct parser parser = {.text = text, .functions = functions, .arena = arena, .expression = ret_expression};
    const struct expression_node *root = parse_or(&parser);
    if (root != NULL && peek(&parser) != '\0')
        fail(&parser, parser.at, S("'&&' or '||' is missing"));
    else if (root != NULL && !root->claims)
        fail(&parser, 0, S("a number stands where a comparison should"));
    ret_expression->root = root;
    *ret_error = parser.error;
    *ret_offset = parser.error_at;
    return parser.error.len == 0;
}

static double number_of(const struct expression_node *node, expression_value value, const void *context)
{
    return node->type == NUMBER ? node->number : value(context, &node->call);
}

static bool compare(const struct expression_node *node, expression_value value, const void *context)
{
    double left = number_of(node->left, value, context), right = number_of(node->right, value, context);
    if (node->type == LESS)
        return left < right;
    if (node->type == LESS_EQUAL)
        return left <= right;
    if (node->type == GREATER)
        return left > right;
    if (node->type == GREATER_EQUAL)
        return left >= right;
    bool same = fabs(left - right) < 1e-9;
    return (node->type == EQUAL) == same;
}

static bool is_true(const struct expression_node *node, expression_value value, const void *context)
{
    if (node->type == OR)
        return is_true(node->left, value, context) || is_true(node->right, value, context);
    if (node->type == AND)
        return is_true(node->left, value, context) && is_true(node->right, value, context);
    if (node->type == NOT)
        return !is_true(node->left, value, context);
    if (node->type == CALL)
        return value(context, &node->call) > 0.5;
    return compare(node, value, context);
}

bool expression_is_true(const struct expression *expression, expression_value value, const void *context)
{
    return is_true(expression->root, value, context);
}
