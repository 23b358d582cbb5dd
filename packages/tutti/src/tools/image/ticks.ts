/** Marks of an axis: round numbers that enclose the data, from low to high. */
export interface Scale {
  readonly ticks: readonly number[];
  readonly step: number;
}

// Below this part of the largest value a difference is noise of the number format, not something to draw.
const spanPartMin = 1e-10;

/** Round marks around `low` to `high`, about `countMax` of them, always two at least. Takes finite numbers up to 1e100. */
export function toScale(low: number, high: number, countMax: number): Scale {
  const [from, to] = widen(low, high);
  const stepsMax = Math.max(2, countMax - 1);
  const exponent = Math.floor(Math.log10((to - from) / stepsMax));
  // A round step times a power of ten, as decimal text: 3 * 0.1 is not 0.3.
  for (let power = exponent; ; power++) {
    for (const mantissa of [1, 2, 5]) {
      const step = Number(`${mantissa}e${power}`);
      const first = Math.floor(from / step + 1e-6);
      const last = Math.ceil(to / step - 1e-6);
      if (last - first > stepsMax) continue;
      const ticks: number[] = [];
      for (let index = first; index <= Math.max(last, first + 1); index++) {
        ticks.push(Number(`${index * mantissa}e${power}`));
      }
      return { ticks, step };
    }
  }
}

// One value, or values that differ by noise, stand in the middle of an axis around them.
function widen(low: number, high: number): readonly [number, number] {
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (most < 1e-100) return [0, 1];
  if (high - low > most * spanPartMin) return [low, high];
  const half = most / 2;
  return [low - half, high + half];
}

const units = [
  { from: 1e12, size: 1e12, sign: "T" },
  { from: 1e9, size: 1e9, sign: "B" },
  { from: 1e6, size: 1e6, sign: "M" },
  { from: 1e4, size: 1e3, sign: "k" },
  { from: 0, size: 1, sign: "" },
] as const;

/** The marks as text, all in one unit (k, M, B, T) and with the same number of decimals, so that they can be compared by eye. */
export function toTickTexts({ ticks, step }: Scale): readonly string[] {
  const most = Math.max(...ticks.map(Math.abs));
  if (most >= 1e15 || step < 1e-6) return ticks.map((tick) => toScientific(tick, most, step));
  const unit = units.find(({ from, size }) => most >= from && toDecimals(step / size) <= 3) ?? units[4];
  const decimals = Math.max(0, toDecimals(step / unit.size));
  return ticks.map((tick) => (tick === 0 ? "0" : withMinus(toGrouped(tick / unit.size, decimals) + unit.sign)));
}

function toDecimals(step: number): number {
  return Math.ceil(-Math.log10(step) - 1e-6);
}

function toScientific(tick: number, most: number, step: number): string {
  if (tick === 0) return "0";
  const digits = Math.max(0, Math.floor(Math.log10(most)) - Math.floor(Math.log10(step)));
  return withMinus(tick.toExponential(Math.min(digits, 12)).replace("+", ""));
}

/** One value for people, with at most four digits that count: `1,234`, `12.3M`, `0.05`, `2.5e-7`. */
export function toValueText(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e15 || size < 1e-4) return withMinus(Number(value.toPrecision(3)).toExponential().replace("+", ""));
  const unit = units.find(({ from }) => size >= from) ?? units[4];
  const rounded = Number((value / unit.size).toPrecision(4));
  return withMinus(toGrouped(rounded, Math.min(8, Math.max(0, decimalsOf(rounded)))) + unit.sign);
}

function decimalsOf(value: number): number {
  const [, decimals = ""] = value.toFixed(8).replace(/0+$/, "").split(".");
  return decimals.length;
}

function toGrouped(value: number, decimals: number): string {
  const [whole = "", part] = value.toFixed(decimals).split(".");
  const grouped = whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

function withMinus(text: string): string {
  return text.replace(/^-/, "−");
}
