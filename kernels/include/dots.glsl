// Products of four i8 in each of two words, added up, by the instruction for it. The format is 0.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019], id = 4450)
int dot_i8(int a, int b, spirv_literal int format);
