/* SPDX-License-Identifier: MIT */
/* See page.h. */
#include "compare/page.h"

#include "compare/svg.h"

#define PAGE_SOLID 5u /* the last server whose line is not dashed */

/* C99 promises 4,095 bytes of one literal; hence pieces. */
static const char *const page_style[] = {
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;"
    "--card:#f6f8fa;--warn:#7a4b00;--warnbg:#fff4d6}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9aa4af;"
    "--line:#3a424c;--card:#161b22;--warn:#ffd479;--warnbg:#3a2c07}}\n",
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1900px;padding:8px 16px 24px;"
    "background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}"
    "h1{font-size:1.3em;margin:.2em 0}h2{font-size:1.15em;margin:1.6em 0 .4em}"
    "h3{font-size:1em;margin:0}p{margin:.4em 0}small{font-size:.87em;color:var(--dim)}"
    ".dim,figcaption{color:var(--dim);font-size:.87em;max-width:110em}abbr{cursor:help}"
    ".verdict{border-left:5px solid var(--fg);background:var(--card);padding:6px 12px;"
    "font-weight:600}.warn,.fixed{background:var(--warnbg);color:var(--warn);padding:6px 12px;"
    "border-radius:4px}.fixed{position:sticky;top:0;z-index:2;margin:-8px 0 0;"
    "padding:4px 0;border-radius:0;font-size:.87em;box-shadow:0 0 0 100vmax var(--warnbg);"
    "clip-path:inset(0 -100vmax)}"
    ".trust{display:flex;flex-wrap:wrap;gap:0 24px;font-size:.87em}\n",
    /* ratios: label, then for each figure its strip and its number */
    ".ratios{display:grid;column-gap:10px;align-items:center;"
    "grid-template-columns:max-content 1fr max-content 1fr max-content;margin:10px 0 4px}"
    ".ratios.f3{grid-template-columns:max-content 1fr max-content 1fr max-content 1fr max-content}"
    ".ratios .gh{grid-column:1/-1;border-top:1px solid var(--line);line-height:1.35}"
    ".ratios .fh{grid-column:span 2;align-self:end;line-height:1.25;font-size:.9em}.ratios "
    ".lb{display:flex;"
    "align-items:baseline;font-size:.87em;line-height:18px;overflow-wrap:anywhere}"
    ".ratios i,.key i{flex:none;display:inline-block;width:11px;height:11px;margin-right:6px}"
    ".ratios .v{font-size:.87em;line-height:18px;font-variant-numeric:tabular-nums;"
    "color:var(--dim)}.ratios .v.d{color:var(--fg);font-weight:600}.v small{font-weight:400}"
    "svg.p{display:block;width:100%;overflow:visible}svg.o{overflow:visible}"
    "svg .g{stroke:var(--line);fill:none}svg .one{stroke:var(--dim)}"
    "svg.p .n circle{fill:var(--bg)!important;stroke-width:1.5}svg.p .n .l{opacity:.75}\n"
    "@media(max-width:1000px){.v:not(.m) small{display:none}.ratios{column-gap:8px}"
    ".fh small{display:block}}"
    "@media(max-width:600px){body{padding:8px 10px 24px;font-size:14px}"
    ".v.m small{display:block}.ratios,.ratios.f3{grid-template-columns:minmax(0,max-content) 1fr "
    "max-content 1fr max-content;column-gap:6px}.ratios.long{grid-template-columns:1fr max-content "
    "1fr max-content}"
    ".ratios.f3{grid-template-columns:1fr max-content 1fr max-content 1fr max-content}"
    ".long .lb{grid-column:1/-1}.long .lb:empty{display:none}}\n",
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(280px,100%),1fr));"
    "gap:14px 22px}.card{background:var(--card);border:1px solid var(--line);border-radius:6px;"
    "padding:10px 12px;margin:10px 0;min-width:0}.grid svg{display:block;width:100%;"
    "max-width:440px;height:auto}.grid .card{margin:0}"
    "svg text{font:12px system-ui,sans-serif;fill:var(--fg)}svg .t{font-weight:600;font-size:13px}"
    "svg .w{stroke:var(--fg);stroke-width:1.5;fill:none}svg .a{fill:var(--fg);stroke:var(--card)}"
    "svg .l{fill:none!important;stroke-width:2}"
    ".key{display:flex;flex-wrap:wrap;gap:2px 16px;margin:6px 0;font-size:.87em}"
    ".key i{vertical-align:-1px}svg rect[class^=s],.key i[class^=s]{stroke:var(--card)}\n",
    /* a table: shadows at the ends that hide columns */
    ".wide{overflow-x:auto;border:1px solid var(--line);border-radius:6px;background:"
    "linear-gradient(90deg,var(--bg) 40%,transparent) 0/40px 100% no-repeat local,"
    "linear-gradient(270deg,var(--bg) 40%,transparent) 100%/40px 100% no-repeat local,"
    "linear-gradient(90deg,var(--dim),transparent) 0/12px 100% no-repeat scroll,"
    "linear-gradient(270deg,var(--dim),transparent) 100%/12px 100% no-repeat scroll}"
    "table{border-collapse:collapse;font-size:.86em;font-variant-numeric:tabular-nums;"
    "white-space:nowrap;width:100%}th,td{padding:3px 9px;text-align:right;border-bottom:1px solid "
    "var(--line)}th{white-space:normal;vertical-align:bottom;line-height:1.2}"
    "@media(max-width:600px){td.left+td.left{white-space:normal;overflow-wrap:anywhere;min-width:"
    "9em}}"
    ".left{text-align:left}.more{display:none;margin:0;font-size:.87em;color:var(--dim)}"
    "@media(max-width:500px){.more.w0{display:block}}@media(max-width:1000px){.more.w1{"
    "display:block}}@media(max-width:1950px){.more.w2{display:block}}\n",
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:0;font-size:.93em}"
    "dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}"
    "@media(max-width:600px){dl{grid-template-columns:1fr}dd{margin-bottom:6px}}\n"};

/* Servers, and judgements. The same in light and dark: 3:1 or more on each ground of both. The
 * first three and the grey are of Okabe and Ito's kind; the others were searched so that any two of
 * the twelve lie 14 or more apart in CIE Lab, to eyes that see all colours, no red, or no green
 * (after Machado, Oliveira and Fernandes 2009). Lines of the later ones are dashed. */
static const char *const page_servers[RS_SVG_COLOURS] = {
    "#0072b2", "#d55e00", "#009e73", "#4b4bff", "#3c87ff", "#d2003c",
    "#e10fc3", "#5a6987", "#00783c", "#ff4b69", "#1ea51e", "#808890"};

/* Kinds of cost: lighter, to be told from servers; Paul Tol's scheme "light" and three more. */
static const char *const page_costs[RS_SVG_COSTS] = {"#99ddff", "#ee8866", "#bbcc33", "#ffaabb",
                                                     "#77aadd", "#eedd88", "#44bb99", "#aaaa00",
                                                     "#ccbb99", "#bb99dd", "#8899aa", "#c4c4c4"};

/* The diverging scale of heat maps, orange to purple: the 7 steps of ColorBrewer's PuOr, which
 * those who see no red or green tell apart. The same in light and dark: the numbers stand on it. */
static const struct {
    const char *fill, *ink;
} page_heat[RS_SVG_HEAT_STEPS] = {{"#b35806", "#fff"}, {"#f1a340", "#111"}, {"#fee0b6", "#111"},
                                  {"#f7f7f7", "#111"}, {"#d8daeb", "#111"}, {"#998ec3", "#111"},
                                  {"#542788", "#fff"}};

static void page_colours(rs_compare_text *text) {
    for (uint32_t i = 0; i < RS_SVG_COLOURS; i++) {
        const char *colour = page_servers[i];
        rs_compare_text_format(text, ".c%u{fill:%s;background:%s;stroke:%s}\n", i, colour, colour,
                               colour);
        if (i > PAGE_SOLID) {
            rs_compare_text_format(text, "path.l.c%u{stroke-dasharray:5 3}\n", i);
        }
    }
    for (uint32_t i = 0; i < RS_SVG_COSTS; i++) {
        rs_compare_text_format(text, ".s%u{fill:%s;background:%s}\n", i, page_costs[i],
                               page_costs[i]);
    }
    for (uint32_t i = 0; i < RS_SVG_HEAT_STEPS; i++) {
        rs_compare_text_format(text,
                               ".h%u rect{fill:%s;stroke:var(--line)}svg .h%u text{fill:%s}.key "
                               ".h%u{background:%s}\n",
                               i, page_heat[i].fill, i, page_heat[i].ink, i, page_heat[i].fill);
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
    rs_compare_text_raw(text, "</style></head><body>\n");
}

void rs_page_end(rs_compare_text *text) {
    rs_compare_text_raw(text, "</body></html>\n");
}
