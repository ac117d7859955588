/* SPDX-License-Identifier: MIT */
/* See page.h. */
#include "compare/page.h"

#include "compare/svg.h"

/* C99 promises 4,095 bytes of one literal; hence pieces. Colours: one hue a server, told apart in
 * light and dark and by those who see no red or green (after Okabe and Ito). */
static const char *const page_style[] = {
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;"
    "--card:#f6f8fa;--warn:#7a4b00;--warnbg:#fff4d6;"
    "--k0:#0072b2;--k1:#d55e00;--k2:#009e73;--k3:#b5679a;--k4:#b58900;--k5:#56a4d8;"
    "--k6:#7f4fc9;--k7:#6b4a2f;--k8:#a8442a;--k9:#3f7d20;--k10:#1f5f7a;--k11:#a8adb3}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9aa4af;"
    "--line:#343b44;--card:#161b22;--warn:#ffd479;--warnbg:#3a2c07;"
    "--k0:#4aa3df;--k1:#f08a45;--k2:#2fc79a;--k3:#d992bf;--k4:#e3b341;--k5:#8cc8f0;"
    "--k6:#b094f0;--k7:#b58a68;--k8:#e07a5f;--k9:#7fbf5a;--k10:#5fb0cc;--k11:#6f7680}}\n",
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1120px;padding:16px;background:var(--bg);"
    "color:var(--fg);font:16px/1.5 system-ui,sans-serif}h1{font-size:1.4em;margin:.2em 0}"
    "h2{font-size:1.15em;margin:1.8em 0 .5em}p{margin:.5em 0}.dim,figcaption{color:var(--dim);"
    "font-size:.9em}.verdict{border-left:5px solid var(--k0);background:var(--card);"
    "padding:12px 16px;font-size:1.1em;font-weight:600}.warn{background:var(--warnbg);"
    "color:var(--warn);padding:8px 12px;border-radius:4px}\n",
    ".grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));"
    "gap:14px}.card{background:var(--card);border:1px solid var(--line);border-radius:6px;"
    "padding:10px 12px}.card svg{display:block;width:100%;max-width:420px;height:auto}"
    "svg text{font:12px system-ui,sans-serif;fill:var(--fg)}svg .t{font-weight:600;font-size:14px}"
    "svg .w{stroke:var(--fg);stroke-width:1.5;fill:none}svg .g{stroke:var(--line);fill:none}"
    "svg .l{fill:none!important;stroke-width:2}\n",
    ".wide{overflow-x:auto;border:1px solid var(--line);border-radius:6px}table{border-collapse:"
    "collapse;font-size:.86em;font-variant-numeric:tabular-nums;white-space:nowrap;width:100%}"
    "caption{caption-side:top;text-align:left;color:var(--dim);padding:6px 10px;white-space:normal;"
    "position:sticky;left:0;max-width:min(100vw - 40px,900px)}"
    "th,td{padding:4px 10px;text-align:right;border-bottom:1px solid var(--line)}th{background:"
    "var(--card)}.l{text-align:left}dl{display:grid;grid-template-columns:max-content 1fr;"
    "gap:2px 14px;margin:0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}"
    "@media(max-width:520px){dl{grid-template-columns:1fr}dd{margin-bottom:6px}}\n"
    ".key{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0;font-size:.9em}.key i{display:"
    "inline-block;width:12px;height:12px;margin-right:6px;vertical-align:-1px}\n"};

/* The diverging scale of heat maps, orange to purple: the 7 steps of ColorBrewer's PuOr, which
 * those who see no red or green tell apart. The same in light and dark: the numbers stand on it. */
static const struct {
    const char *fill, *ink;
} page_heat[RS_SVG_HEAT_STEPS] = {{"#b35806", "#fff"}, {"#f1a340", "#111"}, {"#fee0b6", "#111"},
                                  {"#f7f7f7", "#111"}, {"#d8daeb", "#111"}, {"#998ec3", "#111"},
                                  {"#542788", "#fff"}};

static void page_heat_colours(rs_compare_text *text) {
    for (uint32_t i = 0; i < RS_SVG_HEAT_STEPS; i++) {
        rs_compare_text_format(text,
                               ".h%u rect{fill:%s;stroke:var(--line)}svg .h%u text{fill:%s}.key "
                               ".h%u{background:%s}\n",
                               i, page_heat[i].fill, i, page_heat[i].ink, i, page_heat[i].fill);
    }
}

static void page_colours(rs_compare_text *text) {
    for (uint32_t i = 0; i < RS_SVG_COLOURS; i++) {
        rs_compare_text_format(text,
                               ".c%u,.s%u{fill:var(--k%u);background:var(--k%u)}.l.c%u{stroke:"
                               "var(--k%u)}\n",
                               i, i, i, i, i, i);
    }
}

void rs_page_begin(rs_compare_text *text, const char *title) {
    rs_compare_text_raw(text,
                        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                        "<title>");
    rs_compare_text_html(text, title);
    rs_compare_text_raw(text, "</title>\n<style>\n");
    for (size_t i = 0; i < sizeof page_style / sizeof page_style[0]; i++) {
        rs_compare_text_raw(text, page_style[i]);
    }
    page_colours(text);
    page_heat_colours(text);
    rs_compare_text_raw(text, "</style></head><body>\n");
}

void rs_page_end(rs_compare_text *text) {
    rs_compare_text_raw(text, "</body></html>\n");
}
