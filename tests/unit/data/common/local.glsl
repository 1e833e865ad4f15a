layout(local_size_x = SIZE) in;
#include "deeper.glsl"
