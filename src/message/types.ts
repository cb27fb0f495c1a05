import type { Complaint, Spot } from '../core/fault.ts'
import type { Value } from '../core/message.ts'

/** Top-level keys with their values: no prototype, own keys only, in the order of the text. */
export type Values = Readonly<Record<string, Value>>

/** What a front matter says. */
export type Front = Readonly<{
  /** By the YAML 1.2 core schema: `17` is a number. */
  values: Values
  /** The same with every number and boolean as it was written: `017` is '017'. The same object where there are none. */
  written: Values
  /** Where each top-level key stands in the file. */
  spots: ReadonlyMap<string, Spot>
}>

export type FrontReading = Readonly<{ ok: true; front: Front } | { ok: false; complaints: readonly Complaint[] }>

export type MessageText = Front &
  Readonly<{
    /** The whole file, a byte order mark included. */
    text: string
    hasFrontMatter: boolean
    /** How the front matter's lines end; without one, how the first line ends. */
    eol: '\n' | '\r\n'
    /** Offset into `text` at which the body begins. */
    bodyAt: number
  }>

export type Limits = Readonly<{
  frontMatterBytes: number
  /** A sender's text: it may have so much less than is read at all that the daemon's and the holder's keys find room. */
  leavesRoom?: boolean
}>

export type Parsed =
  | Readonly<{ ok: true; message: MessageText }>
  | Readonly<{
      ok: false
      complaints: readonly Complaint[]
      /** Empty, or front matter opened and never closed: perhaps somebody is still writing it. */
      incomplete: boolean
    }>
