/** The look of the report: light or dark as the reader's system is, from a phone's width on. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f6f7f9; --ink: #1b1f24; --soft: #5b6570; --rule: #dfe3e8;
  --one: #2563c9; --two: #d9541e; --three: #0f8a6d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1c2026; --ink: #e6e9ed; --soft: #9aa5b1; --rule: #30363e;
    --one: #6fa3f5; --two: #f08a5d; --three: #4cc2a2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 780px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 1.2rem; margin: 44px 0 8px; padding-top: 14px; border-top: 1px solid var(--rule); }
p { margin: 6px 0; overflow-wrap: anywhere; }
.lead, .note { color: var(--soft); }
.note { font-size: 0.9rem; }
.warning { border-left: 4px solid var(--two); padding-left: 12px; }
figure { margin: 18px 0; padding: 14px; background: var(--panel); border-radius: 8px; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 16px; justify-content: space-between; font-size: 0.9rem; }
figure img { display: block; width: 100%; height: auto; border-radius: 4px; margin-bottom: 8px; }
svg { display: block; width: 100%; height: auto; margin-top: 8px; }
.legend { display: inline-flex; flex-wrap: wrap; gap: 2px 14px; color: var(--soft); }
.legend i { display: inline-block; width: 16px; height: 3px; margin-right: 6px; vertical-align: middle; border-radius: 2px; }
.key1 { background: var(--one); } .key2 { background: var(--two); } .key3 { background: var(--three); }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line1 { stroke: var(--one); } .line2 { stroke: var(--two); } .line3 { stroke: var(--three); }
.dot1 { fill: var(--one); } .dot2 { fill: var(--two); } .dot3 { fill: var(--three); }
.grid { stroke: var(--rule); }
.tick { fill: var(--soft); font-size: 12px; }
.bar { fill: var(--one); } .pale { opacity: 0.35; }
.diagonal { stroke: var(--two); stroke-width: 1.5; stroke-dasharray: 5 4; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); gap: 12px; }
.small figure { margin: 0; }
.small figcaption { display: block; }
.small figcaption span { display: block; color: var(--soft); }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { text-align: left; }
thead th { color: var(--soft); font-weight: 600; }
tbody th { font-weight: 500; }
th:first-child { position: sticky; left: 0; background: var(--ground); }
@media (max-width: 560px) {
  main { padding: 20px 14px 48px; }
  th, td { padding: 6px; }
  table { font-size: 0.8rem; }
  .chart .tick { font-size: 18px; }
  .small { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
}
`.trim();
