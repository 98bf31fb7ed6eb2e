"""Translate PTX, which nvcc makes of kernels, to C++, to run it on the host, thread by thread.

Only instructions that fanin's kernels use are known. Any other is an error, and so is any that may round differently
from the host: approximations, flushed subnormals, and additions and multiplications that may still be fused (those
without `.rn`).
"""

import re
from collections.abc import Iterator

INT = r"[us](?:16|32|64)"
FLOAT = r"f(?:32|64)"
ANY = r"[busf](?:16|32|64)"
ORDERED = {"eq": "a == b", "lt": "a < b", "le": "a <= b", "gt": "a > b", "ge": "a >= b"}
# These are true if an operand is not a number, so each is written as the contrary of a comparison that is then false.
UNORDERED = {"neu": "a != b", "ltu": "!(a >= b)", "leu": "!(a > b)", "gtu": "!(a <= b)", "geu": "!(a < b)"}

# The name of an instruction, the types of its result and operands, and the result. {1} and {2} are parts of the name.
RULES: list[tuple[str, str, str]] = [
    (r"(?:mov|cvta\.to\.global)\.[busf](\d+)", "u{1} u{1}", "a"),
    (r"add\.[us](32|64)", "u{1} u{1} u{1}", "a + b"),
    (r"sub\.[us](32|64)", "u{1} u{1} u{1}", "a - b"),
    (r"mul\.lo\.[us](32|64)", "u{1} u{1} u{1}", "a * b"),
    (r"mad\.lo\.[us](32|64)", "u{1} u{1} u{1} u{1}", "a * b + c"),
    (r"mul\.wide\.u32", "u64 u32 u32", "u64(a) * b"),
    (r"mul\.hi\.u32", "u32 u32 u32", "u64(a) * b >> 32"),
    (r"div\.([us](?:32|64))", "{1} {1} {1}", "a / b"),
    (r"rem\.([us](?:32|64))", "{1} {1} {1}", "a % b"),
    (r"and\.(b32|b64)", "{1} {1} {1}", "a & b"),
    (r"and\.pred", "pred pred pred", "a && b"),
    (r"or\.(b32|b64)", "{1} {1} {1}", "a | b"),
    (r"or\.pred", "pred pred pred", "a || b"),
    (r"xor\.(b32|b64)", "{1} {1} {1}", "a ^ b"),
    (r"not\.(b32|b64)", "{1} {1}", "~a"),
    (r"shl\.b(32|64)", "u{1} u{1} u32", "shift_left(a, b)"),
    (r"shr\.u(32|64)", "u{1} u{1} u32", "shift_right(a, b)"),
    (r"bfi\.b(32|64)", "u{1} u{1} u{1} u32 u32", "insert(a, b, c, d)"),
    (r"prmt\.b32", "u32 u32 u32 u32", "permute(a, b, c)"),
    (rf"selp\.({ANY})", "{1} {1} {1} pred", "c ? a : b"),
    *[(rf"setp\.{name}\.([bus](?:16|32|64))", "pred {1} {1}", result) for name, result in ORDERED.items()],
    (r"setp\.ne\.([bus](?:16|32|64))", "pred {1} {1}", "a != b"),
    *[(rf"setp\.{name}\.({FLOAT})", "pred {1} {1}", result) for name, result in (ORDERED | UNORDERED).items()],
    (rf"neg\.({FLOAT})", "{1} {1}", "-a"),
    (rf"max\.({FLOAT})", "{1} {1} {1}", "maximum(a, b)"),
    (rf"add\.rn\.({FLOAT})", "{1} {1} {1}", "a + b"),
    (rf"sub\.rn\.({FLOAT})", "{1} {1} {1}", "a - b"),
    (rf"mul\.rn\.({FLOAT})", "{1} {1} {1}", "a * b"),
    (rf"div\.rn\.({FLOAT})", "{1} {1} {1}", "a / b"),
    (rf"fma\.rn\.({FLOAT})", "{1} {1} {1} {1}", "fma(a, b, c)"),
    (rf"sqrt\.rn\.({FLOAT})", "{1} {1}", "sqrt(a)"),
    (rf"cvt\.({INT})\.({INT})", "{1} {2}", "a"),
    (rf"cvt\.rn\.({FLOAT})\.({INT})", "{1} {2}", "a"),
    (r"cvt\.rn\.f32\.f64", "f32 f64", "a"),
    (r"cvt\.f64\.f32", "f64 f32", "a"),
    (r"cvt\.rn\.f16\.f32", "u16 f32", "half(a)"),
]

ENTRY = re.compile(r"\.visible \.entry (\w+)\((.*?)\)\s*\.maxntid (\d+)(?:, 1, 1)?\s*\{(.*?)\n\}", re.DOTALL)
PARAMETER = re.compile(r"\.param (?:\.align (\d+) \.b8 (\w+)\[(\d+)\]|\.[busf](\d+) (\w+)),?\s*")
# Braces without a semicolon between them hold the registers of one operand; the others are a scope.
TOKEN = re.compile(r"\s*(?:\$(?P<label>\w+):|(?P<statement>(?:[^;:{}]|\{[^;{}]*\})+);|(?P<brace>[{}]))")
STATEMENT = re.compile(r"(?:@(!?)%(\w+)\s+)?([\w.]+)\s*(.*)", re.DOTALL)
ADDRESS = re.compile(r"\[([%\w]+)(?:\+(-?\d+))?\]")
LITERAL = re.compile(r"0[fd]([0-9A-F]{8,16})|(-?\d+|0x[0-9A-Fa-f]+)U?")
SPECIAL = {"%ctaid.x": "ctaid", "%ntid.x": "ntid", "%tid.x": "tid"}


class UntranslatableError(Exception):
    """Report an instruction that the translator does not know, or that need not give the host's bits."""


def substitute(expression: str, *values: str) -> str:
    """Replace a, b, c, d in an expression by its operands."""
    named = dict(zip("abcd", values, strict=False))
    return re.sub(r"\b[a-d]\b", lambda operand: named[operand[0]], expression)


class Kernel:
    """Hold a kernel: its name, and the C++ of a `ptx::Kernel` of that name."""

    def __init__(self, name: str, parameters: str, threads: str, body: str) -> None:
        self.name = name
        self.offsets: dict[str, int] = {}  # of the parameters
        end = 0
        for align, array, size, bits, number in PARAMETER.findall(parameters):
            alignment = int(align or int(bits) // 8)
            start = -(-end // alignment) * alignment
            self.offsets[array or number] = start
            end = start + int(size or alignment)
        if PARAMETER.sub("", parameters).strip():
            raise self.error(parameters)
        self.source = "\n".join(
            [
                f'extern "C" void {name}(const unsigned char* params, size_t bytes, u32 ctaid, u32 ntid, u32 tid) {{',
                f'require(bytes == {end}, "the parameters have another size");',
                f'require(ntid == {threads}, "blocks have another size");',
                *self.lines(body),
                "}\n",
            ]
        )

    def error(self, what: str) -> UntranslatableError:
        return UntranslatableError(f"{what!r} in {self.name}")

    def lines(self, body: str) -> Iterator[str]:
        at, end = 0, len(body.rstrip())
        while at < end:
            token = TOKEN.match(body, at)
            if token is None:
                raise self.error(body[at : at + 80])
            at = token.end()
            if token["label"]:
                yield f"{token['label']}:;"
            elif token["brace"]:
                yield token["brace"]
            else:
                yield self.statement(token["statement"].strip())

    def statement(self, text: str) -> str:
        if text.startswith(".pragma"):
            return ""
        if declared := re.fullmatch(r"\.reg \.(pred|[bf]\d+)\s+%?(\w+)(?:<(\d+)>)?", text):
            kind, name, count = declared.groups()
            names = [f"_{name}{i}" for i in range(int(count))] if count else [f"_{name}"]
            return f"[[maybe_unused]] {kind.replace('f', 'b')} {', '.join(names)};"
        parts = STATEMENT.fullmatch(text)
        if parts is None:
            raise self.error(text)
        unless, predicate, opcode, operands = parts.groups()
        line = self.instruction(opcode, re.findall(r"\{[^}]*\}|\[[^]]*\]|[^\s,]+", operands))
        return f"if ({unless}_{predicate}) {{ {line} }}" if predicate else line

    def instruction(self, opcode: str, operands: list[str]) -> str:
        if opcode in {"bra", "bra.uni"}:
            return f"goto {operands[0].removeprefix('$')};"
        if opcode == "ret":
            return "return;"
        if access := re.fullmatch(rf"(?:ld\.(?:param|global)|st\.global)(?:\.v[24])?\.({ANY})", opcode):
            return self.access(access[1], operands, is_load=opcode.startswith("ld"))
        if opcode in {"mov.b32", "mov.b64"} and "{" in "".join(operands):
            return self.pieces(int(opcode[-2:]), *operands)
        for pattern, types, result in RULES:
            if name := re.fullmatch(pattern, opcode):
                to, *kinds = types.format(None, *name.groups()).split()
                if len(operands) == 1 + len(kinds):
                    values = map(self.value, kinds, operands[1:])
                    return f"put({self.register(operands[0])}, {to}({substitute(result, *values)}));"
        raise self.error(" ".join([opcode, ", ".join(operands)]))

    def access(self, kind: str, operands: list[str], is_load: bool) -> str:
        values, place = operands if is_load else reversed(operands)
        address = ADDRESS.fullmatch(place)
        if address is None:
            raise self.error(place)
        registers = values.strip("{}").replace(",", " ").split()
        size = int(kind[1:]) // 8
        where = f"{self.value('u64', address[1])} + u64({address[2] or 0})"
        line = f"{{ unsigned char* const at = memory({where}, {size * len(registers)});"
        for i, register in enumerate(registers):
            if is_load:
                line += f" put({self.register(register)}, load<{kind}>(at + {i * size}));"
            else:
                line += f" store(at + {i * size}, {self.value(kind, register)});"
        return line + " }"

    def pieces(self, bits: int, to: str, of: str) -> str:
        """Put a register together from smaller ones, the lowest bits first, or take it apart."""
        registers = (to + of).split("{")[1].split("}")[0].replace(",", " ").split()
        size = bits // len(registers)
        if of.startswith("{"):
            parts = [f"u{bits}({self.value(f'u{size}', part)}) << {i * size}" for i, part in enumerate(registers)]
            return f"put({self.register(to)}, {' | '.join(parts)});"
        parts = [f"put({self.register(part)}, u{size}(all >> {i * size}));" for i, part in enumerate(registers)]
        return f"{{ const u{bits} all = {self.value(f'u{bits}', of)}; {' '.join(parts)} }}"

    def register(self, text: str) -> str:
        if not re.fullmatch(r"%[a-z]+\d+|[a-z]+", text):
            raise self.error(text)
        return "_" + text.removeprefix("%")  # apart from the types' names

    def value(self, kind: str, text: str) -> str:
        if text in SPECIAL:
            return SPECIAL[text]
        if text in self.offsets:
            return f"u64(params + {self.offsets[text]})"
        if literal := LITERAL.fullmatch(text):
            digits, integer = literal.groups()
            if digits:
                return f"as<{kind}>(u{4 * len(digits)}(0x{digits}))"
            return f"as<{kind}>(u64({int(integer, 0) % 2**64:#x}))"
        return f"as<{kind}>({self.register(text)})"


def kernels(ptx: str) -> list[Kernel]:
    """Return every kernel in a file, which must hold nothing else."""
    ptx = re.sub(r"//.*", "", ptx)
    rest = re.sub(r"\.(version|target|address_size) .*", "", ENTRY.sub("", ptx))
    if rest.strip():
        raise UntranslatableError(f"beside kernels: {rest.strip()[:200]!r}")
    return [Kernel(*entry) for entry in ENTRY.findall(ptx)]


def translate(ptx: str) -> str:
    """Return the C++ of all kernels, to be compiled with tests/native/ptx.hpp, with fma and without contraction."""
    return "\n".join(['#include "ptx.hpp"\n\nusing namespace ptx;\n', *(kernel.source for kernel in kernels(ptx))])
