// The dashboard before the stand-in (mock/server.mjs): every page in both themes and two widths, a problem of each kind, nothing at all, a lost connection, a reader who may not write.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DESKTOP, go, launch, none, open, overhang, PAGES, PHONE, same, Sentences, shot, until, violations } from './browser.mjs';

const started = [];

async function mock(...flags) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('mock/server.mjs', import.meta.url)), ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    const [line] = await once(child.stdout, 'data');
    return { url: String(line).trim(), child };
}

async function look(browser, url, scheme, viewport, pages) {
    const page = await open(browser, url, { scheme, viewport, motion: 'reduce' });
    const wrong = [];
    for (const name of pages) {
        await go(page, name);
        const over = await overhang(page);
        await shot(page, `${name.replace(/\W+/g, '-')}-${scheme}-${viewport.width}`);
        if (over > 0)
            wrong.push(`${name} is ${over} px too wide`);
        // The width does not change what axe finds; the theme changes nothing but colours.
        if (viewport === DESKTOP)
            wrong.push(...(await violations(page, scheme === 'dark' ? ['color-contrast'] : undefined)).map(text => `${name}: ${text}`));
    }
    none([...wrong, ...page.complaints], `in ${scheme} at ${viewport.width} px`);
    await page.context().close();
}

const sentences = new Sentences(), check = sentences.check.bind(sentences);
const browser = await launch();
try {
    const troubled = await mock('--scene', 'troubled');
    const all = [...PAGES, 'routers/api%40file', 'services/auth%40file', 'middlewares/limit%40file', 'explain?url=https://api.example.com/v1', 'no-such-page'];
    const shown = all.filter(name => name !== 'no-such-page');
    await Promise.all([
        check('every page is sound in light', () => look(browser, troubled.url, 'light', DESKTOP, shown)),
        check('every page is sound in dark', () => look(browser, troubled.url, 'dark', DESKTOP, shown)),
        check('every page fits a phone', () => look(browser, troubled.url, 'light', PHONE, shown)),
    ]);

    await check('problems come first, each with what to do', async () => {
        const page = await open(browser, troubled.url);
        await page.waitForSelector('.problem');
        same(await page.locator('.problem').first().locator('.badge').textContent(), 'error', 'the first problem');
        same(await page.locator('.problem .source b').first().textContent(), '^~~~~~~~', 'the caret');
        await page.getByRole('button', { name: 'Show 2 more' }).click();
        same(await page.locator('.problem').count(), 7, 'problems');
        same(await page.locator('.problem .hint').count(), 7, 'hints');
        none(page.complaints);
        await page.context().close();
    });

    await check('the keyboard reaches everything', async () => {
        const page = await open(browser, troubled.url);
        await page.waitForSelector('main .page');
        await page.keyboard.press('g');
        await page.keyboard.press('m');
        await page.waitForSelector('.map .box');
        await page.locator('.map .box[tabindex="0"]').focus();
        await page.keyboard.press('ArrowRight');
        same(await page.evaluate(() => document.activeElement.dataset.id.split(':')[0]), 'router', 'right of an entrypoint');
        await page.keyboard.press('Enter');
        await page.waitForSelector('.detail:not([hidden]) h2');
        await page.keyboard.press('?');
        await page.waitForSelector('dialog[open]');
        await page.keyboard.press('Escape');
        await page.keyboard.press('/');
        await page.keyboard.type('auth');
        await page.locator('.found [role="option"]', { hasText: 'auth' }).first().waitFor();
        await page.keyboard.press('Enter');
        await page.waitForSelector('.page-routers h1');
        same(await page.locator('h1').textContent(), 'auth@file', 'the page that was found');
        none(page.complaints);
        await page.context().close();
    });

    await check('the theme is chosen and remembered', async () => {
        const page = await open(browser, troubled.url, { scheme: 'dark' });
        const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        await page.waitForSelector('.theme');
        const dark = await ground();
        await page.locator('.theme').click();
        if (await ground() === dark)
            throw new Error('light looks like dark');
        const light = await ground();
        await page.reload();
        await page.waitForSelector('.theme');
        same(await ground(), light, 'the ground after a reload');
        await page.context().close();
    });

    await check('a filter, a pause and a choice hold a stream of requests', async () => {
        const page = await open(browser, troubled.url);
        await go(page, 'requests');
        const newest = () => page.locator('.requests tbody tr').first().textContent();
        const before = await newest();
        await until(page, text => document.querySelector('.requests tbody tr').textContent !== text, before);
        await page.getByRole('button', { name: 'Pause' }).click();
        const held = await newest();
        await page.locator('text=/held; \\d+ more/').waitFor();
        same(await newest(), held, 'the newest while held');
        await page.getByRole('button', { name: 'Go on' }).click();
        await page.getByLabel('only failed').check();
        await until(page, () => [...document.querySelectorAll('.requests tbody tr')].every(row => row.dataset.tone === 'bad'));
        await page.locator('.requests .link').first().click();
        await page.locator('.detail .why-box .hint').waitFor();
        none(page.complaints);
        await page.context().close();
    });

    await check('a lost connection is said, and mended by itself', async () => {
        const own = await mock('--scene', 'busy');
        const page = await open(browser, own.url, { allowed: /net::|Failed to load/ });
        await page.waitForSelector('.pulse .good');
        // Pages are fetched ahead while there is nothing else to do: here it must have happened.
        await page.evaluate(() => import(new URL('pages/map.js', document.baseURI).href).then(() => null));
        own.child.kill('SIGKILL');
        await page.locator('.banner:not([hidden])').waitFor();
        await page.evaluate(() => {
            location.hash = '#/map';
        });
        await page.locator('.page-map .failed').waitFor();
        const port = new URL(own.url).port;
        await mock('--scene', 'busy', '--port', port);
        await page.locator('.banner[hidden]').waitFor({ state: 'attached' });
        await page.waitForSelector('.map .box');
        none(page.complaints);
        await page.context().close();
    });

    await check('who may not write is offered nothing to write', async () => {
        const reader = await mock('--readonly');
        const page = await open(browser, reader.url);
        await go(page, 'services?show=servers');
        await page.waitForSelector('.rows tbody tr');
        same(await page.locator('.actions button').count(), 0, 'buttons');
        await page.context().close();
    });

    await check('nothing at all is said in words', async () => {
        const nothing = await mock('--scene', 'empty');
        const page = await open(browser, nothing.url);
        for (const name of ['map', 'requests', 'exchanges', 'routers', 'services', 'middlewares', 'limits', 'containers', 'certificates', 'audit']) {
            await go(page, name);
            await page.waitForSelector('.empty strong');
            await shot(page, `empty-${name}`);
        }
        await go(page, 'overview');
        await page.waitForSelector('.all-well');
        await shot(page, 'empty-overview');
        none([...page.complaints, ...await violations(page)]);
        await page.context().close();
    });
} finally {
    await browser.close();
    started.forEach(child => child.kill());
}
process.exit(sentences.failed ? 1 : 0);
