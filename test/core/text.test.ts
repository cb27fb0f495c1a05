import t from 'tap'
import { counted } from '../../src/core/text.ts'

t.test('one is one, and everything else is many', async (t) => {
  t.same(
    [0, 1, 2].map((count) => counted(count, 'message')),
    ['0 messages', '1 message', '2 messages'],
  )
  t.same(
    [0, 1, 2].map((count) => counted(count, 'person is', 'people are')),
    ['0 people are', '1 person is', '2 people are'],
  )
})
