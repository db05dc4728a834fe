/* A library that claims to be Bowstring: of the ABI version and the version that the compiler is told. */

#include <stdint.h>
#include <string.h>

uint32_t bow_abi_version(void) { return ABI; }

int32_t bow_version(uint8_t *out, uint32_t capacity, uint32_t *out_length, void *error) {
  (void)error;
  *out_length = (uint32_t)strlen(VERSION);
  if (*out_length > capacity) return 27;
  memcpy(out, VERSION, *out_length);
  return 0;
}
