"use strict";(self.rspackChunknb2pkg_labextension=self.rspackChunknb2pkg_labextension||[]).push([[232],{20(e,o,n){var t=n(21),r=n.n(t),i=n(22),a=(n.n(i))()(r());a.push([e.id,`/* -- the sheet ---------------------------------------------------------------------------------------------------- */

.nb2pkg-sheet {
  position: fixed;
  inset: 0 0 0 auto;
  z-index: 1000;
  display: flex;
  flex-direction: column;
  width: min(760px, 100vw);
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color1);
  border-left: var(--jp-border-width) solid var(--jp-border-color1);
  box-shadow: var(--jp-elevation-z20);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
}

/* Messages stand beside the sheet, not over its buttons. */
.nb2pkg-open .jp-toastContainer {
  right: calc(min(760px, 100vw) + 1em);
}

.nb2pkg-sheet h2 {
  flex: 1;
  margin: 0;
  overflow: hidden;
  font-size: var(--jp-ui-font-size2);
  font-weight: 600;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.nb2pkg-sheet h3 {
  display: flex;
  gap: 12px;
  align-items: center;
  margin: 20px 0 8px;
  font-size: var(--jp-ui-font-size1);
  font-weight: 600;
}

.nb2pkg-sheet code,
.nb2pkg-details code {
  padding: 0;
  color: inherit;
  background: none;
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}

.nb2pkg-header {
  display: flex;
  gap: 8px;
  align-items: center;
  padding: 12px 16px;
  border-bottom: var(--jp-border-width) solid var(--jp-border-color2);
}

.nb2pkg-close {
  display: flex;
  align-items: center;
  justify-content: center;
  width: 28px;
  min-width: 0;
  height: 28px;
  padding: 0;
  background: none;
  border: none;
}

.nb2pkg-body {
  flex: 1;
  padding: 0 16px 16px;
  overflow: auto;
}

.nb2pkg-body section:first-child h3 {
  margin-top: 14px;
}

.nb2pkg-stale {
  opacity: 0.55;
}

.nb2pkg-sheet:focus {
  outline: none;
}

.nb2pkg-sheet :focus-visible,
.nb2pkg-details :focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: 1px;
}

.nb2pkg-sheet button:not(.jp-mod-styled),
.nb2pkg-details button.nb2pkg-link {
  padding: 1px 8px;
  color: var(--jp-ui-font-color1);
  background: var(--jp-layout-color2);
  border: var(--jp-border-width) solid var(--jp-border-color1);
  border-radius: var(--jp-border-radius);
  font: inherit;
  font-size: var(--jp-ui-font-size0);
  line-height: 18px;
  white-space: nowrap;
  cursor: pointer;
}

.nb2pkg-sheet button:not(.jp-mod-styled):hover:enabled,
.nb2pkg-details button.nb2pkg-link:hover {
  background: var(--jp-layout-color3);
}

.nb2pkg-sheet button:disabled {
  cursor: default;
  opacity: 0.4;
}

.nb2pkg-refused {
  display: flex;
  gap: 12px;
  align-items: center;
  justify-content: space-between;
  margin: 12px 0 0;
  padding: 8px 12px;
  border-left: 4px solid var(--jp-error-color1);
  background: var(--jp-layout-color2);
}

.nb2pkg-refused p {
  margin: 0;
}

/* -- sections ----------------------------------------------------------------------------------------------------- */

.nb2pkg-sections,
.nb2pkg-cells,
.nb2pkg-diagnostics,
.nb2pkg-crossings {
  margin: 0;
  padding: 0;
  list-style: none;
}

.nb2pkg-section {
  margin-bottom: 8px;
  padding: 6px 8px;
  background: var(--jp-layout-color0);
  border: var(--jp-border-width) solid var(--jp-border-color2);
  border-left-width: 4px !important;
  border-radius: var(--jp-border-radius);
}

.nb2pkg-row {
  display: flex;
  gap: 8px;
  align-items: center;
}

.nb2pkg-name {
  max-width: 26ch;
  padding: 2px 8px;
  color: #fff;
  border: none;
  border-radius: 10px;
  font-family: var(--jp-code-font-family);
  font-size: var(--jp-code-font-size);
}

.nb2pkg-reason {
  flex: 1;
  min-width: 0;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
}

.nb2pkg-tools {
  display: flex;
  gap: 4px;
}

.nb2pkg-cells {
  margin-top: 4px;
}

.nb2pkg-cells li {
  display: flex;
  gap: 8px;
  align-items: center;
}

.nb2pkg-sheet button.nb2pkg-cell {
  display: flex;
  flex: 1;
  gap: 8px;
  min-width: 0;
  padding: 1px 4px;
  text-align: left;
  background: none;
  border-color: transparent;
}

.nb2pkg-sheet button.nb2pkg-cell:disabled {
  opacity: 1;
}

.nb2pkg-cell span {
  flex: none;
  width: 2.5em;
  color: var(--jp-ui-font-color2);
  text-align: right;
}

.nb2pkg-cell code {
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}

.nb2pkg-sheet button.nb2pkg-split {
  opacity: 0;
}

.nb2pkg-cells li:hover .nb2pkg-split,
.nb2pkg-sheet button.nb2pkg-split:focus-visible {
  opacity: 1;
}

/* -- pipeline ----------------------------------------------------------------------------------------------------- */

.nb2pkg-graph {
  display: flex;
  gap: 20px;
  align-items: flex-start;
}

.nb2pkg-graph svg {
  flex: none;
}

.nb2pkg-graph text {
  fill: #fff;
  font-family: var(--jp-code-font-family);
  font-size: 11px;
}

.nb2pkg-edge path {
  fill: none;
  stroke: var(--jp-ui-font-color2);
  stroke-width: 1.5;
}

.nb2pkg-edge path.nb2pkg-head {
  fill: var(--jp-ui-font-color2);
  stroke: none;
}

.nb2pkg-edge:hover path {
  stroke: var(--jp-brand-color1);
  stroke-width: 2.5;
}

.nb2pkg-crossings li {
  margin-bottom: 6px;
}

.nb2pkg-crossings span {
  display: block;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
}

.nb2pkg-crossings code {
  overflow-wrap: anywhere;
}

/* -- diagnostics, constants ---------------------------------------------------------------------------------------- */

.nb2pkg-diagnostics li {
  display: flex;
  gap: 8px;
  align-items: baseline;
  justify-content: space-between;
  padding: 4px 0;
  border-bottom: var(--jp-border-width) solid var(--jp-border-color3);
}

.nb2pkg-diagnostics li > span:nth-child(2) {
  flex: 1;
  overflow-wrap: anywhere;
}

.nb2pkg-severity {
  flex: none;
  width: 5em;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
}

[data-severity='warning'] .nb2pkg-severity {
  color: var(--jp-warn-color0, var(--jp-warn-color1));
  font-weight: 600;
}

[data-severity='error'] .nb2pkg-severity {
  color: var(--jp-error-color1);
  font-weight: 600;
}

.nb2pkg-code {
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
}

.nb2pkg-constants {
  margin-top: 20px;
}

.nb2pkg-constants summary {
  font-weight: 600;
  cursor: pointer;
}

.nb2pkg-constants table {
  width: 100%;
  margin-top: 8px;
  border-collapse: collapse;
}

.nb2pkg-constants th {
  color: var(--jp-ui-font-color2);
  font-weight: normal;
}

.nb2pkg-constants th,
.nb2pkg-constants td {
  padding: 2px 12px 2px 0;
  text-align: left;
  vertical-align: top;
  overflow-wrap: anywhere;
}

/* -- options ------------------------------------------------------------------------------------------------------- */

.nb2pkg-options {
  padding: 12px 16px;
  background: var(--jp-layout-color2);
  border-top: var(--jp-border-width) solid var(--jp-border-color1);
}

.nb2pkg-fields {
  display: grid;
  grid-template-columns: 3fr 6fr 2fr;
  gap: 12px;
}

.nb2pkg-fields label span {
  display: block;
  margin-bottom: 2px;
  color: var(--jp-ui-font-color2);
  font-size: var(--jp-ui-font-size0);
}

.nb2pkg-fields input {
  box-sizing: border-box;
  width: 100%;
}

.nb2pkg-checks {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 18px;
  margin-top: 8px;
}

.nb2pkg-checks label {
  display: flex;
  gap: 6px;
  align-items: center;
}

.nb2pkg-options footer {
  display: flex;
  gap: 8px;
  align-items: center;
  margin-top: 12px;
}

.nb2pkg-options footer span {
  flex: 1;
  color: var(--jp-ui-font-color2);
}

/* -- the result ----------------------------------------------------------------------------------------------------- */

.nb2pkg-details {
  width: min(640px, 80vw);
}

/* -- badges --------------------------------------------------------------------------------------------------------- */

.nb2pkg-in-section {
  box-shadow: inset 3px 0 0 var(--nb2pkg-colour);
}

.nb2pkg-badge {
  width: fit-content;
  margin: 0 0 2px 8px;
  padding: 0 8px;
  overflow: hidden;
  color: var(--jp-ui-font-color2);
  border-radius: 8px;
  font-family: var(--jp-ui-font-family);
  font-size: 10px;
  line-height: 15px;
}

.nb2pkg-badge[data-begins='true'] {
  color: #fff;
  background: var(--nb2pkg-colour);
}

.nb2pkg-shown {
  animation: nb2pkg-shown 1.5s ease-out;
}

@keyframes nb2pkg-shown {
  from {
    background: var(--jp-brand-color3);
  }
}

@media (prefers-reduced-motion: reduce) {
  .nb2pkg-shown {
    animation: none;
    outline: 2px solid var(--jp-brand-color1);
  }
}
`,""]),n.d(o,{},{A:a})},22(e){e.exports=function(e){var o=[];return o.toString=function(){return this.map(function(o){var n="",t=void 0!==o[5];return o[4]&&(n+="@supports (".concat(o[4],") {")),o[2]&&(n+="@media ".concat(o[2]," {")),t&&(n+="@layer".concat(o[5].length>0?" ".concat(o[5]):""," {")),n+=e(o),t&&(n+="}"),o[2]&&(n+="}"),o[4]&&(n+="}"),n}).join("")},o.i=function(e,n,t,r,i){"string"==typeof e&&(e=[[null,e,void 0]]);var a={};if(t)for(var p=0;p<this.length;p++){var s=this[p][0];null!=s&&(a[s]=!0)}for(var l=0;l<e.length;l++){var c=[].concat(e[l]);t&&a[c[0]]||(void 0!==i&&(void 0===c[5]||(c[1]="@layer".concat(c[5].length>0?" ".concat(c[5]):""," {").concat(c[1],"}")),c[5]=i),n&&(c[2]&&(c[1]="@media ".concat(c[2]," {").concat(c[1],"}")),c[2]=n),r&&(c[4]?(c[1]="@supports (".concat(c[4],") {").concat(c[1],"}"),c[4]=r):c[4]="".concat(r)),o.push(c))}},o}},21(e){e.exports=function(e){return e[1]}},14(e){var o=[];function n(e){for(var n=-1,t=0;t<o.length;t++)if(o[t].identifier===e){n=t;break}return n}function t(e,t){for(var r={},i=[],a=0;a<e.length;a++){var p=e[a],s=t.base?p[0]+t.base:p[0],l=r[s]||0,c="".concat(s," ").concat(l);r[s]=l+1;var d=n(c),g={css:p[1],media:p[2],sourceMap:p[3],supports:p[4],layer:p[5]};if(-1!==d)o[d].references++,o[d].updater(g);else{var f=function(e,o){var n=o.domAPI(o);return n.update(e),function(o){o?(o.css!==e.css||o.media!==e.media||o.sourceMap!==e.sourceMap||o.supports!==e.supports||o.layer!==e.layer)&&n.update(e=o):n.remove()}}(g,t);t.byIndex=a,o.splice(a,0,{identifier:c,updater:f,references:1})}i.push(c)}return i}e.exports=function(e,r){var i=t(e=e||[],r=r||{});return function(e){e=e||[];for(var a=0;a<i.length;a++){var p=n(i[a]);o[p].references--}for(var s=t(e,r),l=0;l<i.length;l++){var c=n(i[l]);0===o[c].references&&(o[c].updater(),o.splice(c,1))}i=s}}},16(e){var o={};e.exports=function(e,n){var t=function(e){if(void 0===o[e]){var n=document.querySelector(e);if(window.HTMLIFrameElement&&n instanceof window.HTMLIFrameElement)try{n=n.contentDocument.head}catch(e){n=null}o[e]=n}return o[e]}(e);if(!t)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");t.appendChild(n)}},18(e){e.exports=function(e){var o=document.createElement("style");return e.setAttributes(o,e.attributes),e.insert(o,e.options),o}},17(e,o,n){e.exports=function(e){var o=n.nc;o&&e.setAttribute("nonce",o)}},15(e){e.exports=function(e){if("u"<typeof document)return{update:function(){},remove:function(){}};var o=e.insertStyleElement(e);return{update:function(n){var t,r,i;t="",n.supports&&(t+="@supports (".concat(n.supports,") {")),n.media&&(t+="@media ".concat(n.media," {")),(r=void 0!==n.layer)&&(t+="@layer".concat(n.layer.length>0?" ".concat(n.layer):""," {")),t+=n.css,r&&(t+="}"),n.media&&(t+="}"),n.supports&&(t+="}"),(i=n.sourceMap)&&"u">typeof btoa&&(t+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(i))))," */")),e.styleTagTransform(t,o,e.options)},remove:function(){var e;null===(e=o).parentNode||e.parentNode.removeChild(e)}}}},19(e){e.exports=function(e,o){if(o.styleSheet)o.styleSheet.cssText=e;else{for(;o.firstChild;)o.removeChild(o.firstChild);o.appendChild(document.createTextNode(e))}}},13(e,o,n){var t=n(14),r=n.n(t),i=n(15),a=n.n(i),p=n(16),s=n.n(p),l=n(17),c=n.n(l),d=n(18),g=n.n(d),f=n(19),b=n.n(f),u=n(20),v={};v.styleTagTransform=b(),v.setAttributes=c(),v.insert=s().bind(null,"head"),v.domAPI=a(),v.insertStyleElement=g(),r()(u.A,v),u.A&&u.A.locals&&u.A.locals}}]);