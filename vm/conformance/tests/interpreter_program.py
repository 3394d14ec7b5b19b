# A small stack machine runs a program in a hot dispatch loop.
def run(prog):
    stack, pc, vars = [], 0, {}
    while pc < len(prog):
        op, arg = prog[pc]
        pc += 1
        if op == "push": stack.append(arg)
        elif op == "load": stack.append(vars.get(arg, 0))
        elif op == "store": vars[arg] = stack.pop()
        elif op == "add": stack.append(stack.pop() + stack.pop())
        elif op == "sub":
            b = stack.pop()
            stack.append(stack.pop() - b)
        elif op == "jnz":
            if stack.pop(): pc = arg
    return vars
print(run([("push", 500), ("store", "n"), ("load", "s"), ("load", "n"), ("add", 0), ("store", "s"), ("load", "n"), ("push", 1), ("sub", 0), ("store", "n"), ("load", "n"), ("jnz", 2)]))
