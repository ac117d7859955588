/* The bounds that every back end puts on its configuration before it opens anything. */
#ifndef RS_SEAM_BACKEND_CONFIG_H
#define RS_SEAM_BACKEND_CONFIG_H

#include "seam/backend.h"

/* rs_backend_config_check: are the numbers that all back ends honour within the bounds written
 * beside them in backend.h? A back end looks at its own settings itself.
 *
 * Returns  RS_OK, or RS_E_INVALID with *error (never NULL) naming the values and their bounds. */
rs_status rs_backend_config_check(const rs_backend_config *cfg, rs_error *error);

#endif
