/* A town's sub-centre. */
#include "subcenter/subcenter.h"

int main(int argc, char **argv)
{
	return node_main(argc, argv, subcenter_tier());
}
