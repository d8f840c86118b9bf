// The dashboard before a real Portico with ten thousand routers: {url} as JSON. How long things take is told, not asserted.
import { go, launch, none, open, Sentences, shot, until } from './browser.mjs';

const given = JSON.parse(process.argv[2]);
const sentences = new Sentences();
const browser = await launch();

try {
    await sentences.check('ten thousand routers are as quick as ten', async () => {
        const began = Date.now(), told = [];
        const page = await open(browser, given.url);
        await page.waitForSelector('.tiles .big');
        told.push(`ready ${Date.now() - began} ms`);
        for (const [name, ready] of [['routers', '.rows tbody tr'], ['map', '.map .box'], ['services?show=servers', '.rows tbody tr'], ['configuration', '.rows tbody tr']]) {
            const from = Date.now();
            await page.evaluate(to => {
                location.hash = `#/${to}`;
            }, name);
            await page.waitForSelector(`.page-${name.split('?')[0]} ${ready}`);
            told.push(`${name} ${Date.now() - from} ms`);
            const rows = await page.locator('main tr, main .box').count();
            if (rows > 210)
                throw new Error(`${name} has ${rows} rows at once`);
            await shot(page, `many-${name.replace(/\W+/g, '-')}`);
        }
        await go(page, 'routers');
        await page.getByRole('button', { name: 'Next' }).click();
        await page.locator('text=/Page 2 of 101/').waitFor();
        await page.locator('main .search').fill('tenant-09999');
        await until(page, () => document.querySelectorAll('.rows tbody tr').length === 1);
        await go(page, 'map?search=tenant-01234');
        await page.locator('.map .box.router', { hasText: '01234' }).waitFor();
        await page.locator('.finder input').fill('tenant-04711');
        await page.locator('.found [role="option"]', { hasText: 'tenant-04711' }).first().waitFor();
        none(page.complaints);
        return told.join(', ');
    });
} finally {
    await browser.close();
}
process.exit(sentences.failed ? 1 : 0);
