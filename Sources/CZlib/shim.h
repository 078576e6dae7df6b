#pragma once
#include <zlib.h>

/* inflateInit2 is a macro, which Swift does not see. 16: gzip only. */
static inline int sluice_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
