#include "http/browser.h"

static bool has(struct str agent, struct str word)
{
    return str_find(agent, word) >= 0;
}

bool browser_is_msie6(struct str agent)
{
    ptrdiff_t at = str_find(agent, S("MSIE "));
    if (at < 0 || (size_t)at + 7 >= agent.len || agent.data[at + 6] != '.' || has(agent, S("Opera")))
        return false;
    char version = agent.data[at + 5];
    return version == '4' || version == '5' || (version == '6' && !has(agent, S("SV1")));
}

bool browser_is_safari(struct str agent)
{
    return has(agent, S("Safari/")) && has(agent, S("Mac OS X")) && !has(agent, S("Gecko/")) && !has(agent, S("Chrome/")) &&
           !has(agent, S("Opera")) && !has(agent, S("MSIE "));
}
