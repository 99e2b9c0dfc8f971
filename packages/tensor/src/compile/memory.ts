/** Laying out memory that is known in advance: values that are not alive at the same time share it. */

/** Something that needs memory from step `first` to step `last`, both included. */
export interface Span {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Where each span lies: a block, and the place in it. */
export interface MemoryLayout {
  readonly blockBytes: readonly number[];
  readonly places: readonly { readonly block: number; readonly offset: number }[];
}

/** Starts of cache lines: no two values share one, and vector code finds its alignment. */
const CACHE_LINE = 64;

const overlap = (a: Span, b: Span): boolean => a.first <= b.last && b.first <= a.last;
const roundUp = (bytes: number, unit: number = CACHE_LINE): number => Math.ceil(bytes / unit) * unit;

/** All in one block: the largest first, each at the lowest place that is free for as long as it lives, at a multiple of `alignment` bytes. */
export function layOutInOne(spans: readonly Span[], alignment: number = CACHE_LINE): MemoryLayout {
  const offsets: number[] = Array.from(spans, () => 0);
  const placed: { span: Span; start: number; end: number }[] = [];
  let total = 0;
  for (const index of bySize(spans)) {
    const span = spans[index] as Span;
    const size = roundUp(span.bytes, Math.max(alignment, CACHE_LINE));
    let start = 0;
    for (const other of placed.filter((p) => overlap(p.span, span)).toSorted((a, b) => a.start - b.start)) {
      if (start + size <= other.start) break;
      start = Math.max(start, other.end);
    }
    placed.push({ span, start, end: start + size });
    offsets[index] = start;
    total = Math.max(total, start + size);
  }
  return { blockBytes: spans.length === 0 ? [] : [total], places: offsets.map((offset) => ({ block: 0, offset })) };
}

/** In blocks of their own, for devices that cannot write one part of a block and read another: each block serves those that fit it, one after the other. */
export function layOutApart(spans: readonly Span[]): MemoryLayout {
  const blocks: { bytes: number; spans: Span[] }[] = [];
  const places = Array.from(spans, () => ({ block: 0, offset: 0 }));
  for (const index of bySize(spans)) {
    const span = spans[index] as Span;
    let block = blocks.findIndex((b) => !b.spans.some((other) => overlap(other, span)));
    if (block < 0) block = blocks.push({ bytes: roundUp(span.bytes), spans: [] }) - 1;
    blocks[block]?.spans.push(span);
    places[index] = { block, offset: 0 };
  }
  return { blockBytes: blocks.map((b) => b.bytes), places };
}

/** Numbers of spans, the largest first: what comes first takes the room that it needs, the rest fits in between. */
function bySize(spans: readonly Span[]): number[] {
  return [...spans.keys()].toSorted((a, b) => (spans[b]?.bytes ?? 0) - (spans[a]?.bytes ?? 0) || a - b);
}
