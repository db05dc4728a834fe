/* A file's licence. */

#include <stdio.h>
#include "lib/strbuf.h"
#define MAX_ITEMS 16
/* The larger of two. */
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* A list of items. */
struct item {
	int key; /* what it is sorted by */
	/* The next one. */
	struct item *next;
	void (*release)(struct item *self, int count);
	unsigned int on : 1, off : 1;
	union { int number; char *text; };
#define ITEM_FLAG 1
};

typedef struct {
	double x, y;
} point, *point_ptr;
typedef struct item item_t;
typedef int (*compare_fn)(const void *left, const void *right);
typedef unsigned long size_type;
enum color { RED, GREEN = 2, BLUE = GREEN + 1 };
typedef enum { ON, OFF } toggle;

extern int verbose;
extern const char *program_name(void);
static int counter = MAX_ITEMS, *pointer = &counter;
const int limit = 10;
const char *const fixed = "f";
static const char *loose = "l";
int (*handlers[MAX_ITEMS])(int signal);
static struct item table[] = {
	{ .key = RED, .next = NULL },
	[2] = { .key = sizeof(point) },
};

/**
 * Adds an item.
 */
static inline struct item *add(struct item *list, int key);

static inline struct item *add(struct item *list, int key)
{
	struct item *item = malloc(sizeof(*item));
	item->key = key;
	item->next = list;
	counter++;
	return item;
}

int (*pick(int which))(int value)
{
	static int calls;
	calls += which;
	return handlers[which];
}

int old_style(argc, argv)
	int argc;
	char **argv;
{
	return argc + (int)argv[0][0];
}

__attribute__((deprecated)) void unused(void);

#ifdef WINDOWS
int platform(void) { return 1; }
#elif defined(MAC) && MAX_ITEMS > 2
int platform(void) { return 2; }
#else
int platform(void) { return 3; }
#endif
