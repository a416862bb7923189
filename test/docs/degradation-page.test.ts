import { expect, it } from "vitest";
import { degradationPage, writtenPage } from "./degradation-page.ts";

it("docs/degradation.md is what the table says (else: make docs)", () => {
  expect(writtenPage()).toBe(degradationPage());
});
