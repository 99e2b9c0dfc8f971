/** What quantizing a model has changed, layer by layer. */

/** One layer: a module with parameters or buffers of its own. */
export interface LayerReport {
  /** Its path in the model, `''` for the model itself. */
  readonly name: string;
  /** Its class before. */
  readonly layer: string;
  /** Its class in the new model; null if it is as it was. */
  readonly became: string | null;
  /** Why it is as it was; null if it changed. */
  readonly reason: string | null;
  /** Bytes of what is saved of it, in the old model. What several layers share is counted at the first. */
  readonly bytesBefore: number;
  /** The same in the new model. */
  readonly bytesAfter: number;
}

/** The totals of a {@link QuantizationReport}. */
export interface ReportTotals {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** bytesBefore / bytesAfter; 1 if there are none. */
  readonly ratio: number;
  /** The share of bytesBefore that lies in layers that changed, 0 to 1. */
  readonly coverage: number;
}

const HEADINGS = ['layer', 'class', 'became', 'bytes before', 'bytes after', 'why not'];
/** Columns of numbers are aligned to the right. */
const NUMBERS: ReadonlySet<number> = new Set([3, 4]);

/** All layers with what became of them and why. */
export class QuantizationReport {
  readonly layers: readonly LayerReport[];

  constructor(layers: readonly LayerReport[]) {
    this.layers = layers;
  }

  /** Sums over all layers. */
  get totals(): ReportTotals {
    const total = (bytes: (layer: LayerReport) => number): number => this.layers.reduce((sum, layer) => sum + bytes(layer), 0);
    const bytesBefore = total((layer) => layer.bytesBefore);
    const bytesAfter = total((layer) => layer.bytesAfter);
    const changed = total((layer) => (layer.became === null ? 0 : layer.bytesBefore));
    return {
      bytesBefore,
      bytesAfter,
      ratio: bytesAfter === 0 ? 1 : bytesBefore / bytesAfter,
      coverage: bytesBefore === 0 ? 0 : changed / bytesBefore,
    };
  }

  /** A table with a line for each layer, and one for the totals. */
  toString(): string {
    const rows = this.layers.map(({ name, layer, became, bytesBefore, bytesAfter, reason }) => [
      name === '' ? '(the model)' : name,
      layer,
      became ?? '-',
      String(bytesBefore),
      String(bytesAfter),
      reason ?? '',
    ]);
    const table = [HEADINGS, ...rows];
    const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
    const line = (row: readonly string[]): string =>
      row
        .map((cell, i) => (NUMBERS.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd();
    const { bytesBefore, bytesAfter, ratio, coverage } = this.totals;
    const percent = (100 * coverage).toFixed(1);
    return [...table.map(line), `${bytesBefore} bytes became ${bytesAfter}: ${ratio.toFixed(2)} times smaller; ${percent} % were quantized`].join(
      '\n',
    );
  }

  /** For `JSON.stringify`. */
  toJSON(): { readonly layers: readonly LayerReport[]; readonly totals: ReportTotals } {
    return { layers: this.layers, totals: this.totals };
  }
}
