BEGIN_DECLS
#define API __attribute__((visibility("default")))
struct PACKED header { unsigned char kind; int size ALIGNED(4); };
API int opened;
API const char *name_of(struct header *header, int index UNUSED);
static force_inline void reset(int *count) NONNULL(1);
EXTERN char *message INIT(= "none");
DEFINE_LIST(header)

static UINT (WINAPI *get_version)(void) = 0;
DWORD WINAPI run(void *data)
{
	struct header *header = va_arg(data, struct header *);
	long size = va_arg(data, unsigned long), other = convert(const char *, data);
	ESTACK_DECLARATION

	for_each_header(header, data) {
		size += header->size;
	}
	if (size)
		FOR_ALL(header)
			opened++;
	CHECK(size > 0)
	reset(&opened);
	printf("%" PRIu64 " bytes\n", size);
	return other;
}
int no_macros(int a, int b) { return a * b; }
END_DECLS
static result_t
internal_function
step (int count) { return count; }
extern int plain(int), (*pointed)(int);
long local(void) { long count, parse(const char *); return parse("1") + SIZE(struct header); }
