/** Starts the page. */
import { render } from "preact";
import { Page } from "./page.tsx";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/header.css";
import "./style/attention.css";
import "./style/marks.css";
import "./style/beds.css";
import "./style/detail.css";
import "./style/lists.css";
import "./style/pipeline.css";
import "./style/whole-way.css";
import "./style/alarms.css";

const place = document.getElementById("page");
if (place !== null) render(<Page />, place);
