const sizeFirst = 16 * 1024;
const shortMax = 0x7f;

/** Writes the wire format of Protocol Buffers, as far as OTLP uses it. Grows as it must. */
export class ProtobufWriter {
  private buffer = Buffer.allocUnsafe(sizeFirst);
  private end = 0;

  /** A number without sign, or one of 64 bits with it. */
  varint(field: number, value: number): void {
    this.tag(field, 0);
    if (value < 0) this.negative(value);
    else this.plain(value);
  }

  /** Milliseconds since 1970 as nanoseconds. */
  nanoseconds(field: number, atMs: number): void {
    this.tag(field, 1);
    this.reserve(8);
    this.end = this.buffer.writeBigUInt64LE(BigInt(atMs) * 1_000_000n, this.end);
  }

  double(field: number, value: number): void {
    this.tag(field, 1);
    this.reserve(8);
    this.end = this.buffer.writeDoubleLE(value, this.end);
  }

  fixed32(field: number, value: number): void {
    this.tag(field, 5);
    this.reserve(4);
    this.end = this.buffer.writeUInt32LE(value, this.end);
  }

  text(field: number, value: string): void {
    this.tag(field, 2);
    const bytes = Buffer.byteLength(value);
    this.plain(bytes);
    this.reserve(bytes);
    this.buffer.write(value, this.end);
    this.end += bytes;
  }

  /** Bytes that are given as hexadecimal digits. */
  hex(field: number, digits: string): void {
    this.tag(field, 2);
    const bytes = digits.length / 2;
    this.plain(bytes);
    this.reserve(bytes);
    this.buffer.write(digits, this.end, "hex");
    this.end += bytes;
  }

  /** A message inside this one. */
  message(field: number, write: () => void): void {
    this.tag(field, 2);
    this.reserve(1);
    const start = (this.end += 1);
    write();
    const length = this.end - start;
    if (length <= shortMax) {
      this.buffer[start - 1] = length;
      return;
    }
    // Its length takes more than the one byte that was left for it.
    let more = 0;
    for (let rest = length; rest > shortMax; rest = Math.floor(rest / 128)) more += 1;
    this.reserve(more);
    this.buffer.copyWithin(start + more, start, this.end);
    this.end = start - 1;
    this.plain(length);
    this.end += length;
  }

  /** What was written so far, as a copy. */
  finish(): Uint8Array {
    return Uint8Array.from(this.buffer.subarray(0, this.end));
  }

  private tag(field: number, wireType: number): void {
    this.plain(field * 8 + wireType);
  }

  private plain(value: number): void {
    this.reserve(10);
    let rest = value;
    for (; rest > shortMax; rest = Math.floor(rest / 128)) this.buffer[this.end++] = (rest % 128) + 128;
    this.buffer[this.end++] = rest;
  }

  private negative(value: number): void {
    this.reserve(10);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.buffer[this.end++] = Number(rest & 127n) + 128;
    this.buffer[this.end++] = Number(rest);
  }

  private reserve(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + bytes));
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }
}
