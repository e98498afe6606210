"""python3 asyncio doing what the bench's rows do; prints one JSON object, metric -> figure in the row's unit."""
import asyncio
import json
import resource
import statistics
import time

ROUNDS = 7


async def no_op(value):
    return value


async def retry(fn, value, attempts=3):
    for attempt in range(attempts):
        try:
            return await fn(value)
        except ConnectionError:
            await asyncio.sleep(0.1 * 2**attempt)


async def ten(value):
    for _ in range(10):
        value = await no_op(value)
    return value


async def timed(value):
    async with asyncio.timeout(1):
        return await no_op(value)


async def gathered(value):
    return await asyncio.gather(*(no_op(value) for _ in range(10)))


async def measure(fn, times):
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for _ in range(times):
            await fn(None)
        rounds.append((time.perf_counter_ns() - start) / times)
    return statistics.median(rounds)


async def sleeper():
    async with asyncio.timeout(60):
        for _ in range(3):
            await asyncio.sleep(0.2)


async def crowd(count):
    before = resource.getrusage(resource.RUSAGE_SELF)
    cpu = time.process_time_ns()
    await asyncio.gather(*(sleeper() for _ in range(count)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_maxrss - before.ru_maxrss) / 1024, (time.process_time_ns() - cpu) / count / 1000


async def main():
    bare = await measure(no_op, 50000)
    rss, cpu = await crowd(10000)
    print(json.dumps({
        "run_bare_ns": bare,
        "sequence_10_off_ns": await measure(ten, 20000) - bare,
        "retry_off_ns": await measure(lambda v: retry(no_op, v), 50000) - bare,
        "timeout_off_ns": await measure(timed, 20000) - bare,
        "parallel_10_off_ns": await measure(gathered, 2000) - bare,
        "sleeping_10000_rss_mib": rss,
        "sleeping_10000_cpu_us": cpu,
    }))


asyncio.run(main())
