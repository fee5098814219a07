"""The same for each layer, as a tuple: Params, Runs, States have one entry for each.

    each(3, f)(x, (a, b, c))  =  (f(x, a),)  +  each(2, f)(x, (b, c))
                                                    └── (f(x, b),)  +  each(1, f)(x, (c,)),  and that is (f(x, c),)

A loop cannot make a tuple where it is compiled, since its length belongs to its type: so the number of layers is
known when the function is put together, and each call is of another function.
"""
from .jit import inlined


def each(n, function):
    """-> f(same, items) = (function(same, items[0]), function(same, items[1]), ...), for n of them."""
    @inlined
    def last(same, items):
        return (function(same, items[0]),)
    if n == 1:
        return last
    rest = each(n - 1, function)

    @inlined
    def first_and_rest(same, items):
        return (function(same, items[0]),) + rest(same, items[1:])
    return first_and_rest


def each_of_three(n, function):
    """-> f(same, a, b, c) = (function(same, a[0], b[0], c[0]), ...), for n entries of each tuple."""
    @inlined
    def last(same, a, b, c):
        return (function(same, a[0], b[0], c[0]),)
    if n == 1:
        return last
    rest = each_of_three(n - 1, function)

    @inlined
    def first_and_rest(same, a, b, c):
        return (function(same, a[0], b[0], c[0]),) + rest(same, a[1:], b[1:], c[1:])
    return first_and_rest
