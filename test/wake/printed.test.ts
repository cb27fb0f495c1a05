import tap from 'tap'
import { collectPrinted } from '../../src/wake/printed.ts'

tap.test('what a run prints is copied: byte by byte it keeps no more in memory than in one piece', async (t) => {
  for (const [limit, shown] of [
    [100, 'äöü: 4567'],
    [10, 'äöü: 45\n\n(cut here: 2 bytes more are in the log)\n'],
  ] as const) {
    const printed = collectPrinted(limit)
    // Whoever keeps the piece itself finds the next byte in it.
    const piece = Buffer.alloc(1)
    for (const byte of Buffer.from('äöü: 4567')) {
      piece[0] = byte
      printed.add(piece)
    }
    t.equal(printed.text('the log'), shown)
  }
})
