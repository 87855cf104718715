/* The district's core platform. */
#include "hub/hub.h"

int main(int argc, char **argv)
{
	return node_main(argc, argv, hub_tier());
}
