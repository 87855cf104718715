/* A village's or neighbourhood's terminal. */
#include "terminal/terminal.h"

int main(int argc, char **argv)
{
	return node_main(argc, argv, terminal_tier());
}
