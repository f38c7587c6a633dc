#pragma once
#include <pocketsphinx.h>
#include <sphinxbase/err.h>

// What takes a variable number of arguments is called from here. Nil when the model cannot be read.
static inline ps_decoder_t *tandem_sphinx_open(const char *hmm, const char *dictionary, const char *lm) {
    err_set_logfp(NULL);
    cmd_ln_t *config = lm
        ? cmd_ln_init(NULL, ps_args(), 1, "-hmm", hmm, "-dict", dictionary, "-lm", lm, "-remove_silence", "yes", NULL)
        : cmd_ln_init(NULL, ps_args(), 1, "-hmm", hmm, "-dict", dictionary, "-remove_silence", "yes", NULL);
    if (!config) return NULL;
    ps_decoder_t *decoder = ps_init(config);
    cmd_ln_free_r(config);
    return decoder;
}
