/** A visit to the page: opens it, and does what visitors do. */

import type { Browser, Page } from 'playwright-core';

/** How long to wait for what a page is to do: a slow machine is not a failure. */
const PATIENCE_MS = 120_000;

/** What a page did that it should not have done. */
export class Complaints {
  readonly all: string[] = [];

  /** Listens to a page: errors and warnings on its console, failures, and requests to anyone but `origin`. */
  watch(page: Page, origin: string): void {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.all.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.all.push(`uncaught: ${error.message}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!/^(?:blob|data):/.test(url) && !url.startsWith(origin)) this.all.push(`a request to ${url}`);
    });
  }
}

/** A page that was opened. */
export class Visit {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page. @param prepare runs in it before its own program */
  static async begin(browser: Browser, url: string, complaints: Complaints, prepare?: () => void): Promise<Visit> {
    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1200, height: 900 } });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    complaints.watch(page, url);
    if (prepare !== undefined) await page.addInitScript(prepare);
    await page.goto(url);
    await page.waitForSelector('#toggle:enabled');
    return new Visit(page);
  }

  async end(): Promise<void> {
    await this.page.context().close();
  }

  /** The text of an element. */
  async text(selector: string): Promise<string> {
    return (await this.page.textContent(selector)) ?? '';
  }

  /** The number that an element shows; NaN where it shows none. */
  async number(selector: string): Promise<number> {
    return Number.parseFloat((await this.text(selector)).replaceAll(',', ''));
  }

  /** Waits until an element shows a number of at least `least`. */
  async atLeast(selector: string, least: number): Promise<void> {
    await this.page.waitForFunction(
      ([target, wanted]) => Number.parseFloat((document.querySelector(target)?.textContent ?? '').replaceAll(',', '')) >= wanted,
      [selector, least] as const,
    );
  }

  /** Waits until an element's text contains `part`. */
  async says(selector: string, part: string): Promise<void> {
    await this.page.waitForFunction(([target, wanted]) => document.querySelector(target)?.textContent?.includes(wanted) === true, [
      selector,
      part,
    ] as const);
  }

  /** Chooses a device, and waits until training goes on there. */
  async moveTo(device: string): Promise<void> {
    await this.page.click(`#device label:has([value=${device}])`);
    await this.says('#announcer', `Goes on on ${device}`);
  }

  /** Draws a line through points on the pad, whose sides are 1 long. */
  async draw(points: readonly (readonly [x: number, y: number])[]): Promise<void> {
    const pad = this.page.locator('#pad');
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    if (box === null) throw new Error('the pad is not to be seen');
    const { mouse } = this.page;
    for (const [i, [x, y]] of points.entries()) {
      await mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 6 });
      if (i === 0) await mouse.down();
    }
    await mouse.up();
  }
}
