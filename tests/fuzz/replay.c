/* Runs a fuzz target without libFuzzer: replay PATH... calls the target with each file, and with
 * each file of each folder. A target fails by aborting; nothing found to run is a failure too. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

static unsigned runs;

/* The bytes end where their allocation ends, so that a sanitizer sees a read past them. */
static int run_file(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);
    int ok = file && data && fread(data, 1, size, file) == size;
    if (file) fclose(file);
    if (ok) {
        fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(data, size);
        runs++;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    return ok;
}

static int run_path(const char *path);

static int run_folder(const char *path) {
    DIR *folder = opendir(path);
    int ok = folder != NULL;
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char name[4096];
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        ok &= run_path(name);
    }
    if (folder) closedir(folder);
    return ok;
}

static int run_path(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) {
        fprintf(stderr, "%s: no such file\n", path);
        return 0;
    }
    return S_ISDIR(info.st_mode) ? run_folder(path) : run_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv) {
    int ok = 1;
    for (int i = 1; i < argc; i++) ok &= run_path(argv[i]);
    fprintf(stderr, "%u inputs\n", runs);
    return ok && runs > 0 ? 0 : 1;
}
