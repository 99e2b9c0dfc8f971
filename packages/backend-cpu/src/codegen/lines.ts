/** Source text, line by line, indented by its braces. */
export class Lines {
  readonly #lines: string[] = [];
  #indent = '';

  /** Adds lines at the current indentation. */
  add(...lines: readonly string[]): void {
    for (const line of lines) this.#lines.push(this.#indent + line);
  }

  /** Adds a line that ends in an opening brace. */
  open(line: string): void {
    this.add(line);
    this.#indent += '  ';
  }

  /** Closes the latest `count` open braces. */
  close(count = 1): void {
    for (let i = 0; i < count; i++) {
      this.#indent = this.#indent.slice(2);
      this.add('}');
    }
  }

  text(): string {
    return this.#lines.join('\n');
  }
}
