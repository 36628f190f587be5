/** What one letter counts for. */
export interface Counted {
  readonly pipeline: string;
  readonly instance: string;
  readonly bytes: number;
}

/** How many letters are kept, beside the file, so that a bound costs no query. */
export class LetterAccount {
  readonly pipelines = new Map<string, number>();
  readonly instances = new Map<string, number>();
  count = 0;
  bytes = 0;
  changes = 0;

  add(letter: Counted): void {
    this.count++;
    this.bytes += letter.bytes;
    count(this.pipelines, letter.pipeline, 1);
    count(this.instances, letter.instance, 1);
    this.changes++;
  }

  remove(letter: Counted): void {
    this.count--;
    this.bytes -= letter.bytes;
    count(this.pipelines, letter.pipeline, -1);
    count(this.instances, letter.instance, -1);
    this.changes++;
  }

  grow(bytes: number): void {
    this.bytes += bytes;
    this.changes++;
  }

  /** Begins anew with these sums, as after a transaction that was rolled back. */
  load(sums: Iterable<Counted & { readonly count: number }>): void {
    this.pipelines.clear();
    this.instances.clear();
    this.count = 0;
    this.bytes = 0;
    for (const sum of sums) {
      this.count += sum.count;
      this.bytes += sum.bytes;
      count(this.pipelines, sum.pipeline, sum.count);
      count(this.instances, sum.instance, sum.count);
    }
    this.changes++;
  }
}

function count(into: Map<string, number>, name: string, by: number): void {
  const sum = (into.get(name) ?? 0) + by;
  if (sum === 0) into.delete(name);
  else into.set(name, sum);
}
