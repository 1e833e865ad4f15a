/* Weights for a plan that is replayed alone: libreprise-weights and libreprise-runtime, and nothing
 * of the compiler.
 *   read-weights FILE.safetensors    writes the file, and reads it again */
#include <reprise/runtime.h>
#include <reprise/weights.h>
#include <stdio.h>
#include <string.h>

static const char header[] =
    "{\"layer.0/w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

int main(int argc, char **argv) {
    float values[2] = {1.5f, -2.0f};
    unsigned char length[8] = {sizeof header - 1};
    FILE *file = argc == 2 ? fopen(argv[1], "wb") : NULL;
    if (!file) return 99;
    fwrite(length, 1, sizeof length, file);
    fwrite(header, 1, sizeof header - 1, file);
    fwrite(values, 1, sizeof values, file);
    if (fclose(file) != 0) return 99;

    rp_weights *weights = NULL;
    rp_diags *diags = rp_diags_create(NULL);
    if (rp_weights_open(NULL, argv[1], diags, &weights) != RP_OK) {
        fprintf(stderr, "%s\n", rp_diags_get(diags, 0).message);
        return 1;
    }
    rp_weight weight = *rp_weights_get(weights, rp_weights_find(weights, "layer.0/w"));
    int good = weight.dtype == RP_F32 && weight.rank == 1 && weight.shape[0] == 2 &&
               weight.size == sizeof values && memcmp(weight.data, values, sizeof values) == 0;
    rp_weights_close(weights);
    rp_diags_destroy(diags);
    return good ? 0 : 1;
}
