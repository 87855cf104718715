/* libuv's loop as events of the world: what the daemons use of it, and nothing more. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define IS_CLOSING 1u

static struct site *owner_of(const uv_loop_t *loop)
{
	return loop->data;
}

static uint64_t soon(void)
{
	return draw_between(5, 120);
}

int uv_loop_init(uv_loop_t *loop)
{
	(void)loop;
	return 0;
}

const char *uv_strerror(int code)
{
	(void)code;
	return "a fault of the simulator";
}

int uv_is_closing(const uv_handle_t *handle)
{
	return (handle->flags & IS_CLOSING) != 0;
}

uv_handle_type uv_handle_get_type(const uv_handle_t *handle)
{
	return handle->type;
}

/* ---- closing ---- */

static void close_run(void *context, bool is_alive)
{
	uv_handle_t *handle = context;
	if (is_alive && handle->close_cb)
		handle->close_cb(handle);
}

void uv_close(uv_handle_t *handle, uv_close_cb done)
{
	handle->flags |= IS_CLOSING;
	handle->close_cb = done;
	if (done)
		plan(0, owner_of(handle->loop), close_run, handle);
}

/* ---- async ---- */

int uv_async_init(uv_loop_t *loop, uv_async_t *async, uv_async_cb call)
{
	async->loop = loop;
	async->type = UV_ASYNC;
	async->flags = 0;
	async->async_cb = call;
	async->pending = 0;
	return 0;
}

static void async_run(void *context, bool is_alive)
{
	uv_async_t *async = context;
	if (!is_alive)
		return;
	async->pending = 0;
	if (!uv_is_closing((uv_handle_t *)async))
		async->async_cb(async);
}

int uv_async_send(uv_async_t *async)
{
	if (async->pending || uv_is_closing((uv_handle_t *)async))
		return 0;
	async->pending = 1;
	plan(soon(), owner_of(async->loop), async_run, async);
	return 0;
}

/* ---- timers ---- */

struct timer_event {
	uv_timer_t *timer;
	uint64_t start;
};

int uv_timer_init(uv_loop_t *loop, uv_timer_t *timer)
{
	timer->loop = loop;
	timer->type = UV_TIMER;
	timer->flags = 0;
	timer->start_id = 0;
	return 0;
}

static void timer_plan(uv_timer_t *timer, uint64_t ms);

static void timer_run(void *context, bool is_alive)
{
	struct timer_event *event = context;
	uv_timer_t *timer = event->timer;
	if (is_alive && !uv_is_closing((uv_handle_t *)timer) && timer->start_id == event->start) {
		if (timer->repeat)
			timer_plan(timer, timer->repeat);
		timer->timer_cb(timer);
	}
	free(event);
}

static void timer_plan(uv_timer_t *timer, uint64_t ms)
{
	struct timer_event *event = malloc(sizeof *event);
	if (!event)
		abort();
	*event = (struct timer_event){ timer, ++timer->start_id };
	plan(ms * MS + soon(), owner_of(timer->loop), timer_run, event);
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout_ms, uint64_t repeat_ms)
{
	timer->timer_cb = call;
	timer->repeat = repeat_ms;
	timer_plan(timer, timeout_ms);
	return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
	timer->start_id++;
	return 0;
}

/* ---- signals: nobody sends one ---- */

int uv_signal_init(uv_loop_t *loop, uv_signal_t *handle)
{
	handle->loop = loop;
	handle->type = UV_SIGNAL;
	handle->flags = 0;
	return 0;
}

int uv_signal_start(uv_signal_t *handle, uv_signal_cb call, int number)
{
	handle->signal_cb = call;
	handle->signum = number;
	return 0;
}

/* ---- the pool ---- */

static void after_run(void *context, bool is_alive)
{
	uv_work_t *work = context;
	if (is_alive) /* a site is buried when its pool has come to rest */
		work->after_work_cb(work, 0);
}

static void work_run(void *context, bool is_alive)
{
	uv_work_t *work = context;
	if (is_alive)
		work->work_cb(work);
	plan(soon(), owner_of(work->loop), after_run, work);
}

int uv_queue_work(uv_loop_t *loop, uv_work_t *work, uv_work_cb call, uv_after_work_cb after)
{
	work->loop = loop;
	work->type = UV_WORK;
	work->work_cb = call;
	work->after_work_cb = after;
	plan(draw_between(20, 400), owner_of(loop), work_run, work);
	return 0;
}

/* The daemons' own main() is not part of a simulation. */
int uv_run(uv_loop_t *loop, uv_run_mode mode)
{
	(void)loop;
	(void)mode;
	abort();
}

int uv_loop_close(uv_loop_t *loop)
{
	(void)loop;
	return 0;
}
