int value;
struct value { int value; };
typedef struct node node;
struct node { node *left; };
static int walk(node *node, int depth);
int use(struct value *value)
{
	int depth = value->value;
	if (depth) {
		int depth = depth + 1;
		struct value copy = *value;
		for (int i = 0, depth = 2; i < depth; i++)
			copy.value += i;
		goto out;
	}
	switch (depth) {
	case 1: {
		node *node = 0;
		int (*step)(node_t *node, int depth) = walk;
		(*step)(node, depth);
		step(node, value->value);
		break;
	}
	default:
		*(&depth) = (int)sizeof(struct node);
	}
out:
	return walk(0, depth);
}
static int walk(node *node, int depth)
{
	enum state { START, STOP } state = START;
	struct point { int x; } point = { .x = 1 };
	if (state == STOP)
		return point.x;
	return node ? walk(node->left, depth + 1) : value;
}
