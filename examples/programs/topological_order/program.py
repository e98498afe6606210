from collections import deque


def build_order(depends_on):
    """Order in which to build, given {task: [tasks that must come first]}.

    Tasks that are free at the same time come in alphabetical order of becoming free.
    Raises ValueError when tasks wait for each other in a circle.
    """
    waiting = {}
    followers = {}
    for task, needed in depends_on.items():
        waiting.setdefault(task, 0)
        for first in needed:
            waiting.setdefault(first, 0)
            waiting[first] += 1
            followers.setdefault(first, []).append(task)

    ready = deque(sorted(task for task in waiting if waiting[task] == 0))
    order = []
    while ready:
        task = ready.popleft()
        order.append(task)
        for follower in sorted(followers.get(task, [])):
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    if len(order) != len(waiting):
        raise ValueError("the tasks wait for each other")
    return order
