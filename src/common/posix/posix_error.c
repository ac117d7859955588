/* SPDX-License-Identifier: MIT */
/* One switch, so that a number missing here is RS_E_OS everywhere. */
#include "posix/posix_error.h"

#include <errno.h>

rs_status rs_posix_status(int os_error) {
    switch (os_error) {
    case 0:
        return RS_OK;
    case EAGAIN: /* the same number as EWOULDBLOCK on Linux */
    case EINPROGRESS:
        return RS_E_AGAIN;
    case EINVAL:
        return RS_E_INVALID;
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC: /* epoll: the limit of watched descriptors */
    case EMFILE:
    case ENFILE:
        return RS_E_NO_BUFFERS;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
        return RS_E_RESET;
    case ECANCELED:
        return RS_E_ABORTED;
    case ECONNREFUSED:
        return RS_E_REFUSED;
    case ETIMEDOUT:
        return RS_E_TIMED_OUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
        return RS_E_UNREACHABLE;
    case EADDRINUSE:
        return RS_E_ADDRESS_IN_USE;
    case EADDRNOTAVAIL:
        return RS_E_ADDRESS;
    case EACCES:
    case EPERM:
        return RS_E_ACCESS;
    case ENOSYS:
    case EOPNOTSUPP:
        return RS_E_UNSUPPORTED;
    default:
        return RS_E_OS;
    }
}
