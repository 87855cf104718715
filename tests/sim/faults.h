/*
 * Every fault: FAULT(name, what the table calls it, rate, strike).
 *
 * With a function it strikes a site that is drawn: `rate` is the most that a seed draws for it, in a million at each
 * look of the weather. Without, whoever does the thing that may go wrong asks fault_hits(): in a million of such
 * things.
 */
/* processes */
FAULT(STOP, "orderly stop", 30000, strike_stop)
FAULT(KILL, "kill", 120000, strike_kill)
FAULT(KILL_WITHIN, "kill within a turn", 120000, strike_kill_within)
FAULT(POWER, "power cut", 120000, strike_power)
FAULT(POWER_WITHIN, "power cut within a turn", 120000, strike_power_within)
FAULT(PAUSE, "pause", 120000, strike_pause)
FAULT(KEYS, "keys change", 15000, strike_keys)
FAULT(NO_MEMORY, "no memory", 300, NULL)
/* disks */
FAULT(EIO, "EIO once", 3000, NULL)
FAULT(EIO_FOREVER, "EIO until it is replaced", 4000, strike_disk_broken)
FAULT(ENOSPC, "ENOSPC", 3000, NULL)
FAULT(FLIP, "bits flip on the disk at rest", 4000, strike_flip)
FAULT(CUT_SHORT, "a store's file is cut short", 4000, strike_cut_short)
FAULT(ROLLBACK, "disk put back to an earlier image", 80000, strike_rollback)
FAULT(PUT_BACK, "town or hub put back, and says so", 40000, strike_put_back)
FAULT(CLONE, "clone: a terminal runs twice", 20000, strike_clone)
FAULT(WIPE, "wipe: a terminal's folder is lost", 12000, strike_wipe)
FAULT(RESTORE, "the hub restored from a backup", 60000, strike_restore)
FAULT(MAP_FULL, "a map that fills up", 1000000, NULL)
FAULT(SHARE, "a device's share that is spent", 1000000, NULL)
/* the network */
FAULT(DROP, "frame lost", 300000, NULL)
FAULT(REPEAT, "frame doubled", 500000, NULL)
FAULT(LATE, "frame late, out of its order", 200000, NULL)
FAULT(CORRUPT, "frame corrupt, connection ends", 20000, NULL)
FAULT(BREAK, "connection breaks", 120000, strike_break)
FAULT(HALF_OPEN, "half-open connection", 40000, strike_half_open)
FAULT(CUT, "cut off, both ways", 120000, strike_cut)
FAULT(CUT_ONE_WAY, "cut off, one way", 120000, strike_cut_one_way)
/* clocks */
FAULT(CLOCK_JUMP, "wall clock jumps", 15000, strike_clock_jump)
FAULT(CLOCK_FREEZE, "wall clock stands still", 15000, strike_clock_freeze)
FAULT(DRIFT, "clocks drift by 500 ppm", 1000000, NULL)
FAULT(NO_RTC, "starts in 1970", 500000, NULL)
/* who wants harm */
FAULT(ALTER, "relay alters entries", 60000, NULL)
FAULT(WITHHOLD, "relay withholds entries", 60000, NULL)
FAULT(REPLAY, "relay sends old entries again", 60000, NULL)
FAULT(TWO_VIEWS, "relay shows two views of a line", 20000, strike_two_views)
FAULT(POISON, "poison: an entry that nobody can apply", 30000, strike_poison)
FAULT(WRONG_KEY, "stranger's key and frames", 60000, strike_stranger)
