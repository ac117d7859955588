#include "compare/report.h"
void rs_report_html(const rs_results *results, rs_table *scratch, rs_text *text) {
    (void)results;
    (void)scratch;
    rs_text_raw(text, "");
}
