/* The capacity sum of one completion queue. */
#include "rio/rio_quota.h"

#include "core/assert.h"

void rs_rio_quota_init(rs_rio_quota *quota, uint32_t conns_max, uint32_t sends_per_conn) {
    uint32_t conn_entries = RS_RIO_RECVS_PER_CONN + sends_per_conn;

    RS_ASSERT(conns_max > 0 && conns_max <= RS_SESSIONS_MAX);
    RS_ASSERT(sends_per_conn > 0 && sends_per_conn <= RS_SENDS_IN_FLIGHT_MAX);
    *quota = (rs_rio_quota){
        .conn_entries = conn_entries,
        .cq_entries = (conns_max + RS_RIO_CLOSING_SLACK(conns_max)) * conn_entries,
    };
    RS_ASSERT(quota->cq_entries <= RS_RIO_CQ_ENTRIES_MAX);
}

bool rs_rio_quota_reserve(rs_rio_quota *quota) {
    RS_ASSERT(quota->held <= quota->cq_entries);
    if (quota->cq_entries - quota->held < quota->conn_entries) {
        return false;
    }
    quota->held += quota->conn_entries;
    if (quota->held > quota->held_high) {
        quota->held_high = quota->held;
    }
    return true;
}

void rs_rio_quota_release(rs_rio_quota *quota) {
    RS_ASSERT(quota->held >= quota->conn_entries);
    quota->held -= quota->conn_entries;
}
