#pragma once
#include <opus.h>

// What the importer cannot see: opus_encoder_ctl takes any number of arguments, and its requests are macros.
static inline int tandem_opus_set_bitrate(OpusEncoder *encoder, int value) { return opus_encoder_ctl(encoder, OPUS_SET_BITRATE(value)); }
static inline int tandem_opus_set_complexity(OpusEncoder *encoder, int value) { return opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(value)); }
static inline int tandem_opus_set_fec(OpusEncoder *encoder, int value) { return opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(value)); }
static inline int tandem_opus_set_loss(OpusEncoder *encoder, int percent) { return opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(percent)); }
static inline int tandem_opus_set_dtx(OpusEncoder *encoder, int value) { return opus_encoder_ctl(encoder, OPUS_SET_DTX(value)); }
static inline int tandem_opus_set_vbr(OpusEncoder *encoder, int value) { return opus_encoder_ctl(encoder, OPUS_SET_VBR(value)); }
static inline int tandem_opus_set_bandwidth(OpusEncoder *encoder, int value) { return opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(value)); }
static inline int tandem_opus_lookahead(OpusEncoder *encoder) {
    opus_int32 value = 0;
    return opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&value)) == OPUS_OK ? value : 0;
}
