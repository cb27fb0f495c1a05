import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import t from 'tap'
import { faultOfProgram } from '../../src/system/program.ts'

t.test('a program is a file that may be executed, found as execvp would find it', async (t) => {
  const dir = t.testdir({ bin: { good: '', plain: '' }, other: { plain: '' }, folder: {} })
  for (const path of ['bin/good', 'other/plain']) chmodSync(`${dir}/${path}`, 0o755)
  symlinkSync('good', `${dir}/bin/link`)
  symlinkSync('nowhere', `${dir}/bin/dangling`)
  symlinkSync('loop', `${dir}/bin/loop`)
  mkdirSync(`${dir}/bin/subfolder`)
  const fault = (program: string, path = `${dir}/none:${dir}/bin`): string | undefined => faultOfProgram(program, path, dir)

  t.equal(fault('good'), undefined)
  t.equal(fault('link'), undefined, 'a link leads to a program')
  for (const none of ['plain', 'subfolder', 'dangling', 'loop', 'absent']) t.equal(fault(none), `there is no program ${none} in PATH`)
  t.equal(fault('plain', `${dir}/bin:${dir}/other`), undefined, 'one that may not be executed is passed over')
  t.equal(fault('good', 'bin'), undefined, 'a folder of PATH that is relative is looked for from where the run starts')

  t.equal(fault(`${dir}/bin/link`), undefined)
  t.equal(fault(`${dir}/absent`), `there is no program ${dir}/absent`)
  t.equal(fault(`${dir}/bin/dangling`), `there is no program ${dir}/bin/dangling`)
  t.equal(fault(`${dir}/bin/plain`), `${dir}/bin/plain is not executable: chmod +x ${dir}/bin/plain`)
  t.equal(fault(`${dir}/folder`), `${dir}/folder is a folder`)
  t.equal(fault(`${dir}/bin/good/inside`), `there is no program ${dir}/bin/good/inside`)
  t.equal(fault('/dev/null'), '/dev/null is no program')
})

t.test('a script whose interpreter is missing cannot be started, and the interpreter is named', async (t) => {
  const scripts: Readonly<Record<string, readonly [line: string, fault: RegExp | undefined]>> = {
    shell: ['#!/bin/sh', undefined],
    spaced: ['#! \t/bin/sh -e', undefined],
    env: ['#!/usr/bin/env sh', undefined],
    split: ['#!/usr/bin/env -S sh -e', undefined],
    variable: ['#!/usr/bin/env A=b sh', undefined],
    text: ['echo', undefined],
    empty: ['', undefined],
    bare: ['#!/nonexistent', /bare is a script, and its interpreter \/nonexistent is missing$/],
    folder: ['#!/usr/bin', /its interpreter \/usr\/bin is missing$/],
    'env-none': ['#!/usr/bin/env nonexistent-3', /its interpreter nonexistent-3 is not in PATH$/],
    windows: ['#!/bin/sh\r', /windows ends in a carriage return, as Windows writes it: sed -i 's\/\\r\$\/\/' .*windows$/],
  }
  const dir = t.testdir(Object.fromEntries(Object.entries(scripts).map(([name, [line]]) => [name, `${line}\nexit 0\n`])))
  for (const [name, [, fault]] of Object.entries(scripts)) {
    chmodSync(`${dir}/${name}`, 0o755)
    for (const program of [name, `${dir}/${name}`]) {
      const found = faultOfProgram(program, `${dir}:/usr/bin:/bin`, dir)
      if (fault) t.match(found, fault, program)
      else t.equal(found, undefined, program)
    }
  }
})
