// Runs http-cache-tests, the suite behind cache-tests.fyi, through a real gateway and compares with expected.json.
//
//   node run.mjs [--update] [--redis host:port] [--id test-id]
//
// The suite's origin and the gateway (built Release; its embedded Redis unless --redis names one) run on free ports.
// Ends with 1 if a test that is expected to pass does not, or a check (where neither answer is better) is answered
// otherwise. --update writes everything else; it never lowers a "pass". --id runs one test and prints its requests.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import fetch from 'node-fetch'
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs'
import { makeCacheTest, testResults } from 'http-cache-tests/client/test.mjs'
import { determineTestResult } from 'http-cache-tests/lib/display.mjs'
import allSuites from 'http-cache-tests/tests/index.mjs'

const folder = fileURLToPath(new URL('.', import.meta.url))
const suiteServer = fileURLToPath(import.meta.resolve('http-cache-tests/server/server.mjs'))
const gatewayDll = join(folder, '../../src/Gateway/bin/Release/net10.0/Gateway.dll')
const expectedFile = join(folder, 'expected.json')

// What the suite's symbols mean. "yes" and "no" answer its checks, where neither is better.
const outcomes = { '✅': 'pass', '⛔️': 'fail', '⚠️': 'fail', Y: 'yes', N: 'no', '⚪️': 'dependency', '🔹': 'setup', '↻': 'retry', '⁉️': 'harness' }

const { values: options } = parseArgs({ options: { update: { type: 'boolean' }, redis: { type: 'string' }, id: { type: 'string' } } })
const suites = selectSuites(options.id)
const scratch = mkdtempSync(join(tmpdir(), 'conformance-'))
const children = []
try {
  process.exitCode = await main()
} finally {
  for (const child of children) child.kill()
  rmSync(scratch, { recursive: true, force: true })
}

async function main () {
  const base = await startServers()
  const expected = readExpected()
  await runTests(suites, fetch, false, base)
  // The suite runs many tests at once, and what others purge meanwhile is not stored by a POST (docs/adr/0015): a test that
  // does worse than expected has one more chance, alone.
  const worse = new Set(outcomesOf(suites).filter(test => isWorse(test, expected)).map(test => test.id))
  for (const test of suites.flatMap(suite => suite.tests).filter(test => worse.has(test.id))) {
    delete testResults[test.id]
    await makeCacheTest(test)
  }
  const tests = outcomesOf(suites)
  summarize(tests)
  return options.id ? Number(tests[0].outcome === 'fail') : compare(tests, expected)
}

function outcomesOf (suites) {
  const results = getResults()
  return suites.flatMap(suite => suite.tests).filter(test => test.id in results)
    .map(test => ({ id: test.id, kind: test.kind ?? 'required', outcome: outcomes[determineTestResult(suites, test.id, results, !options.id)[2]], detail: results[test.id][1] }))
}

function isWorse (test, expected) {
  return expected[test.id] === 'pass' && test.outcome !== 'pass'
}

function selectSuites (id) {
  if (!id) return allSuites
  const suite = allSuites.find(suite => suite.tests.some(test => test.id === id))
  if (!suite) throw new Error(`There is no test ${id}.`)
  return [{ ...suite, tests: suite.tests.filter(test => test.id === id).map(test => ({ ...test, dump: true })) }]
}

async function startServers () {
  const [originPort, publicPort, adminPort] = [await freePort(), await freePort(), await freePort()]
  start('node', [suiteServer], {
    cwd: scratch, env: { ...process.env, npm_config_protocol: 'http', npm_config_port: originPort, npm_config_pidfile: join(scratch, 'origin.pid') }
  })
  start('dotnet', [
    gatewayDll, '--urls', `http://127.0.0.1:${publicPort}`, `--Admin:Urls=http://127.0.0.1:${adminPort}`,
    '--config', join(folder, 'gateway.json'), `--ReverseProxy:Clusters:origin:Destinations:suite:Address=http://127.0.0.1:${originPort}/`,
    ...(options.redis ? [`--Redis:Configuration=${options.redis}`] : [])
  ], { cwd: scratch })
  await Promise.all([untilItAnswers(`http://127.0.0.1:${originPort}/state/none`), untilItAnswers(`http://127.0.0.1:${adminPort}/readyz`)])
  return `http://127.0.0.1:${publicPort}`
}

function start (command, args, settings) {
  const child = spawn(command, args, { stdio: ['ignore', options.id ? 'inherit' : 'ignore', 'inherit'], ...settings })
  child.on('exit', code => { if (code) console.error(`${command} ${args[0]} ended with ${code}.`) })
  children.push(child)
}

function freePort () {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function untilItAnswers (url) {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (children.some(child => child.exitCode !== null)) break
    try {
      if ((await fetch(url)).status < 500) return
    } catch { /* not yet */ }
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  throw new Error(`${url} does not answer.`)
}

function summarize (tests) {
  for (const kind of ['required', 'optimal', 'check']) {
    const counts = {}
    for (const test of tests.filter(test => test.kind === kind)) counts[test.outcome] = (counts[test.outcome] ?? 0) + 1
    console.log(`${kind}: ${Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`)
  }
  for (const test of tests.filter(test => test.kind !== 'check' && test.outcome !== 'pass')) {
    console.log(`  ${test.outcome} (${test.kind}) ${test.id}: ${test.detail ?? ''}`)
  }
}

function readExpected () {
  try {
    return JSON.parse(readFileSync(expectedFile, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return {}
  }
}

function compare (tests, expected) {
  const changed = tests.filter(test => test.outcome !== expected[test.id])
  const worse = changed.filter(test => isWorse(test, expected))
  const answeredOtherwise = changed.filter(test => test.kind === 'check' && test.id in expected)
  for (const test of changed) console.log(`  ${test.id}: ${test.outcome} instead of ${expected[test.id] ?? 'nothing'}`)
  if (options.update) {
    for (const test of changed.filter(test => !worse.includes(test))) expected[test.id] = test.outcome
    writeFileSync(expectedFile, JSON.stringify(Object.fromEntries(Object.entries(expected).sort(([a], [b]) => a < b ? -1 : 1)), null, 2) + '\n')
  }
  const isAsExpected = worse.length === 0 && (options.update || answeredOtherwise.length === 0)
  console.log(isAsExpected ? 'As expected, or better.' : `${worse.length} worse than expected, ${answeredOtherwise.length} checks answered otherwise.`)
  return Number(!isAsExpected)
}
