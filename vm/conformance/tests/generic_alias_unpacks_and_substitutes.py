# Aliases of built-in generics: unpacking, parameters, attributes of their own.
import copy
import pickle
import types
import typing

T = typing.TypeVar("T")
K = typing.TypeVar("K")
Ts = typing.TypeVarTuple("Ts")
P = typing.ParamSpec("P")

star = (*tuple[int, str],)[0]
print(star, star.__unpacked__, star.__typing_unpacked_tuple_args__, star == tuple[int, str])
print(tuple[*tuple[int, T]], tuple[*tuple[int, T]].__parameters__, tuple[*tuple[int, T]][str])
print(pickle.loads(pickle.dumps(star)) == star, copy.copy(star) == star, copy.deepcopy(list[T]))
it = iter(list[int])
print(type(it).__name__, next(it))
try:
    next(it)
except StopIteration:
    print("exhausted")

print(dict[K, list[T]][int, str], tuple[T, *Ts][int, str, bytes], list[T][int | None])
print(tuple[*Ts][()], tuple[*Ts].__parameters__)
for alias, key in [(list[int], int), (dict[K, T], int), (dict[K, T], (int, str, bytes))]:
    try:
        alias[key]
    except TypeError as e:
        print(e)

print(list[int].__class__ is types.GenericAlias, list[int].__name__, list[int].__mro_entries__(()))
print("__origin__" in dir(list[int]), "append" in dir(list[int]), list[int].append is list.append)


class Alias(types.GenericAlias):
    pass


a = Alias(list, int)
print(type(a) is Alias, a == list[int], a)
print(list[[int, "x"]], list[types.FunctionType], tuple[int, ...], list[type(None)], int | None)
print(types.MappingProxyType[int, str], types.AsyncGeneratorType[int, None])
try:
    types.GeneratorType[int]
except TypeError as e:
    print(e)
