"""A small operating system: tasks of several kinds pass messages by queues.

Classes with overridden methods, linked lists, flags, None checks: the style of
object-oriented programs.
"""


class Message:
    def __init__(self, sender, value):
        self.sender = sender
        self.value = value
        self.next = None


class Queue:
    def __init__(self):
        self.head = None
        self.tail = None
        self.length = 0

    def put(self, message):
        if self.tail is None:
            self.head = message
        else:
            self.tail.next = message
        self.tail = message
        self.length += 1

    def take(self):
        message = self.head
        if message is None:
            return None
        self.head = message.next
        if self.head is None:
            self.tail = None
        message.next = None
        self.length -= 1
        return message


class Task:
    def __init__(self, kernel, name, priority):
        self.kernel = kernel
        self.name = name
        self.priority = priority
        self.inbox = Queue()
        self.waiting = False
        self.runs = 0
        kernel.tasks.append(self)

    def send(self, task, value):
        task.inbox.put(Message(self, value))
        task.waiting = False

    def step(self):
        raise NotImplementedError

    def ready(self):
        return not self.waiting or self.inbox.length > 0


class Source(Task):
    def __init__(self, kernel, name, priority, target):
        super().__init__(kernel, name, priority)
        self.target = target
        self.seed = len(name)

    def step(self):
        self.seed = (self.seed * 4093 + 13849) & 0x3FFF
        self.send(self.target, self.seed)
        if self.target.inbox.length > 8:
            self.waiting = True


class Filter(Task):
    def __init__(self, kernel, name, priority, even, odd):
        super().__init__(kernel, name, priority)
        self.even = even
        self.odd = odd

    def step(self):
        message = self.inbox.take()
        if message is None:
            self.waiting = True
            return
        if message.value & 1:
            self.send(self.odd, message.value)
        else:
            self.send(self.even, message.value)
        message.sender.waiting = False


class Sink(Task):
    total = 0

    def step(self):
        message = self.inbox.take()
        if message is None:
            self.waiting = True
        else:
            self.total = (self.total * 7 + message.value) % 1000003


class Kernel:
    def __init__(self):
        self.tasks = []
        self.steps = 0

    def choose(self):
        best = None
        for task in self.tasks:
            if task.ready() and (best is None or task.priority + task.runs < best.priority + best.runs):
                best = task
        return best

    def run(self, steps):
        while self.steps < steps:
            task = self.choose()
            if task is None:
                break
            task.runs += 1
            task.step()
            self.steps += 1


def run(inner):
    kernel = Kernel()
    even = Sink(kernel, "even", 3)
    odd = Sink(kernel, "odd", 2)
    split = Filter(kernel, "split", 5, even, odd)
    Source(kernel, "first", 1, split)
    Source(kernel, "second one", 4, split)
    kernel.run(inner)
    return "%d %d %s" % (even.total, odd.total, [task.runs for task in kernel.tasks])
