// A browser for the tests of the dashboard: it collects everything that a page complains of, and looks at it as axe does.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SHOTS = process.env.DASHBOARD_SHOTS;       // a folder: what was looked at is kept there

export const PAGES = ['overview', 'map', 'requests', 'exchanges', 'explain', 'routers', 'services', 'services?show=servers', 'middlewares', 'limits',
    'containers', 'certificates', 'configuration', 'audit'];
export const DESKTOP = { width: 1360, height: 860 }, PHONE = { width: 360, height: 740 };

function executable() {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome'])
        try {
            return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
        } catch {
            // The next name.
        }
    throw new Error('there is no chromium here: apt-get install chromium (script/bootstrap test does)');
}

export async function launch() {
    return chromium.launch({ executablePath: executable(), headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'] });
}

/** A page whose complaints are collected in `page.complaints`; `allowed`: complaints that belong to the test. */
export async function open(browser, url, { viewport = DESKTOP, scheme = 'light', allowed = /$^/, motion = 'no-preference', ...more } = {}) {
    const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: motion, ...more });
    const page = await context.newPage();
    page.complaints = [];
    const complain = text => allowed.test(text) || page.complaints.push(text);
    page.on('console', message => ['error', 'warning'].includes(message.type()) && complain(`console: ${message.text()} ${message.location().url}`));
    page.on('pageerror', error => complain(`error: ${error.stack}`));
    // Nothing may leave for elsewhere.
    const home = new URL(url).origin;
    page.on('request', request => !request.url().startsWith(home) && !request.url().startsWith('data:') && complain(`request to ${request.url()}`));
    await page.addInitScript(() => addEventListener('securitypolicyviolation', event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
    await page.goto(url);
    page.setDefaultTimeout(15000);
    return page;
}

/** Asks in the page again and again; Playwright's own way needs eval, which the policy forbids as it should. */
export async function until(page, condition, argument) {
    for (let end = Date.now() + 15000; Date.now() < end;) {
        if (await page.evaluate(condition, argument))
            return;
        await new Promise(done => setTimeout(done, 40));
    }
    throw new Error(`in vain: ${condition}`);
}

/** To another page of the dashboard, until it has shown what it fetched. */
export async function go(page, hash) {
    await page.evaluate(to => {
        location.hash = `#/${to}`;
    }, hash);
    await until(page, name => document.querySelector(`main .page-${name} h1`) && !document.querySelector('main .loading, main [aria-busy]'), hash.split(/[?/]/)[0]);
}

/** What axe finds serious or critical. `rules`: only these. The rows of a table are alike: a few of them stand for all. */
export async function violations(page, rules) {
    if (!await page.evaluate(() => Boolean(window.axe))) {
        // The policy of the page holds for the page; a tool that looks at it comes in by the debugger.
        await page.evaluate(await (await import('node:fs/promises')).readFile(axe, 'utf8'));
    }
    const found = await page.evaluate(only => {
        document.querySelectorAll('tbody tr:nth-child(n + 7), .tried li:nth-child(n + 7)').forEach(row => row.remove());
        return window.axe.run(document, { resultTypes: ['violations'], ...(only ? { runOnly: { type: 'rule', values: only } } : {}) });
    }, rules);
    return found.violations.filter(one => ['serious', 'critical'].includes(one.impact))
        .map(one => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`);
}

/** Pixels by which the page is wider than the window. */
export function overhang(page) {
    return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

export async function shot(page, name) {
    if (SHOTS)
        await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
}

/** Runs the sentences; prints each, and what failed; gives the exit code. */
export class Sentences {
    failed = 0;

    async check(sentence, body) {
        const began = Date.now();
        try {
            const told = await body();
            console.log(`ok - ${sentence} (${Date.now() - began} ms${told ? `; ${told}` : ''})`);
        } catch (error) {
            this.failed++;
            console.log(`not ok - ${sentence}: ${error.stack || error}`);
        }
    }
}

export function none(list, what = 'complaints') {
    if (list.length)
        throw new Error(`${what}: ${[...new Set(list)].slice(0, 6).join('\n')}`);
}

export function same(got, wanted, what = '') {
    if (got !== wanted)
        throw new Error(`${what} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}
