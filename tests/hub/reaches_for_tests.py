"""Who reaches what, written by hand: a status for every address and every act, by person."""

COLUMNS = ("visitor", "stranger", "desk", "owner", "other-owner", "supplier", "other-supplier", "reviewer",
           "other-reviewer", "regulator")  # fmt: skip
PAGES = """
                                    V   S   D   O   o   P   p   R   r   G
/                                   200 200 200 200 200 200 200 200 200 200
/overview/                          302 404 200 404 404 404 404 404 404 200
/overview/screen/                   302 404 200 404 404 404 404 404 404 200
/overview/funnel/                   302 404 200 404 404 404 404 404 404 200
/api/figures/funnel                 401 404 200 404 404 404 404 404 404 200
/overview/late/                     302 404 200 404 404 404 404 404 404 200
/overview/records/open/             302 404 200 404 404 404 404 404 404 200
/ledger/                            302 404 200 200 200 404 404 404 404 200
/ledger/map/                        302 404 200 200 200 404 404 404 404 200
/ledger/ranking/                    302 404 200 200 200 404 404 404 404 200
/ledger/ranking/5-4-3/              302 404 200 200 200 404 404 404 404 200
/ledger/plan/                       302 404 200 200 200 404 404 404 404 200
/ledger/plan/tasks/                 302 404 200 200 200 404 404 404 404 200
/ledger/plan/what-if/               302 404 200 404 404 404 404 404 404 200
/ledger/plan/sheet/                 302 404 200 404 404 404 404 404 404 404
/ledger/plan/proposal/              302 404 404 404 404 404 404 404 404 404
/api/roadmap                        401 404 200 200 200 404 404 404 404 200
/api/roadmap/tasks                  401 404 200 200 200 404 404 404 404 200
/api/roadmap/sheet                  401 404 200 404 404 404 404 404 404 200
/api/roadmap/proposal               401 404 404 404 404 404 404 404 404 404
/ledger/records/opened/             302 404 200 200 200 404 404 404 404 200
/ledger/records/nothing/            302 404 404 404 404 404 404 404 404 404
/ledger/steps/agreed_frozen/open/   302 404 200 200 200 404 404 404 404 200
/ledger/steps/agreed_frozen/never/  302 404 404 404 404 404 404 404 404 404
/ledger/ledger.csv                  302 404 200 200 200 404 404 404 404 200
/ledger/secrets.csv                 302 404 404 404 404 404 404 404 404 404
/api/ledger                         401 404 200 200 200 404 404 404 404 200
/api/ledger/map                     401 404 200 200 200 404 404 404 404 200
/api/ledger/ranking                 401 404 200 200 200 404 404 404 404 200
/api/ledger/records/opened          401 404 200 200 200 404 404 404 404 200
/api/ledger/steps/agreed_frozen/open 401 404 200 200 200 404 404 404 404 200
/api/figures                        200 200 200 200 200 200 200 200 200 200
/api/figures/overview               401 200 200 200 200 200 200 200 200 200
/import/                            302 404 200 404 404 404 404 404 404 404
/import/organisations/              302 404 200 404 404 404 404 404 404 404
/import/people/template.csv         302 404 200 404 404 404 404 404 404 404
/import/nothing/                    302 404 404 404 404 404 404 404 404 404
/import/people/0123456789abcdef/    302 404 404 404 404 404 404 404 404 404
/import/people/0123456789abcdef/problems.csv 302 404 404 404 404 404 404 404 404 404
/desk/                              302 404 200 200 200 404 404 404 404 200
/incidents/                         302 404 200 200 200 404 404 404 404 200
/incidents/1/                       302 404 200 200 404 404 404 404 404 200
/incidents/9/                       302 404 404 404 404 404 404 404 404 404
/incidents/1/incident.note/         302 404 200 200 404 404 404 404 404 404
/incidents/1/incident.report/       302 404 404 404 404 404 404 404 404 404
/incidents/1/incident.fly/          302 404 404 404 404 404 404 404 404 404
/api/desk                           401 200 200 200 200 200 200 200 200 200
/api/incidents                      401 200 200 200 200 200 200 200 200 200
/api/incidents/1                    401 404 200 200 404 404 404 404 404 200
/services/alarm/runbook/            302 404 200 200 404 404 404 404 404 200
/services/nothing/runbook/          302 404 404 404 404 404 404 404 404 404
/api/services/alarm/runbook         401 404 200 200 404 404 404 404 404 200
/search/                            200 200 200 200 200 200 200 200 200 200
/certified/                         200 200 200 200 200 200 200 200 200 200
/figures/                           200 200 200 200 200 200 200 200 200 200
/standards/                         200 200 200 200 200 200 200 200 200 200
/standards/scenario.json            200 200 200 200 200 200 200 200 200 200
/standards/secret.json              404 404 404 404 404 404 404 404 404 404
/standards/vocabularies.json        200 200 200 200 200 200 200 200 200 200
/next/                              200 200 200 200 200 200 200 200 200 200
/next/demand-owner/                 200 200 200 200 200 200 200 200 200 200
/next/nobody/                       404 404 404 404 404 404 404 404 404 404
/feeds/en/scenarios.atom            200 200 200 200 200 200 200 200 200 200
/feeds/en/trials.atom               404 404 404 404 404 404 404 404 404 404
/work/                              302 404 200 200 200 200 200 200 200 200
/work/count/                        302 404 200 200 200 200 200 200 200 200
/live/                              302 404 200 200 200 200 200 200 200 200
/find/                              302 404 200 200 200 200 200 200 200 200
/queue/                             302 404 200 200 200 200 200 200 200 200
/scenarios/                         200 200 200 200 200 200 200 200 200 200
/applications/                      200 200 200 200 200 200 200 200 200 200
/trials/                            302 404 200 200 200 200 200 200 200 200
/organisations/                     302 404 200 200 200 200 200 200 200 200
/demands/                           200 200 200 200 200 200 200 200 200 200
/demands/plant/none/                404 404 404 404 404 404 404 404 404 404
/demands/new/                       302 404 404 200 200 404 404 404 404 404
/demands/plant/none/acts/demand.edit/ 302 404 404 404 404 404 404 404 404 404
/demands/plant/none/matches/        302 404 404 404 404 404 404 404 404 404
/api/demands                        200 200 200 200 200 200 200 200 200 200
/api/demands/plant/none             404 404 404 404 404 404 404 404 404 404
/api/demands/plant/none/record      401 404 404 404 404 404 404 404 404 404
/api/demands/plant/none/acts        401 404 404 404 404 404 404 404 404 404
/api/demands/plant/none/sites       401 404 404 404 404 404 404 404 404 404
/api/scenarios/plant/milling/sites  401 200 200 200 200 200 200 200 200 200
/api/matches/demands/plant/none     401 404 404 404 404 404 404 404 404 404
/replications/                      200 200 200 200 200 200 200 200 200 200
/replications/acme/none/            404 404 404 404 404 404 404 404 404 404
/replications/acme/none/kit/        302 404 404 404 404 404 404 404 404 404
/api/replications                   200 200 200 200 200 200 200 200 200 200
/api/replications/acme/none         404 404 404 404 404 404 404 404 404 404
/courses/                           200 200 200 200 200 200 200 200 200 200
/courses/milling/                   200 200 200 200 200 200 200 200 200 200
/courses/none/                      404 404 404 404 404 404 404 404 404 404
/courses/milling/examples.csv       200 200 200 200 200 200 200 200 200 200
/courses/milling/draws/1.csv        302 404 409 409 409 409 409 409 409 409
/api/courses                        200 200 200 200 200 200 200 200 200 200
/api/courses/milling                200 200 200 200 200 200 200 200 200 200
/api/courses/milling/examples       200 200 200 200 200 200 200 200 200 200
/api/courses/milling/draws/1/cases  401 409 409 409 409 409 409 409 409 409
/api/courses/milling/figures        401 404 200 404 404 404 404 404 404 200
/rooms/                             302 404 200 200 200 200 200 200 200 200
/rooms/new/                         302 404 404 302 302 302 302 404 404 404
/rooms/0123456789abcdef/            302 404 404 404 404 404 404 404 404 404
/rooms/0123456789abcdef/files/1/    302 404 404 404 404 404 404 404 404 404
/api/rooms                          401 200 200 200 200 200 200 200 200 200
/api/rooms/0123456789abcdef         401 404 404 404 404 404 404 404 404 404
/api/rooms/0123456789abcdef/files/1 401 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/           200 200 200 200 200 200 200 200 200 200
/scenarios/hospital/xray/           404 404 200 404 200 404 404 404 404 200
/scenarios/hospital/none/           404 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/versions/{milling}/ 200 200 200 200 200 200 200 200 200 200
/scenarios/hospital/xray/versions/{xray}/ 404 404 200 404 200 404 404 404 404 200
/scenarios/plant/milling/versions/{xray}/ 404 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/files/     302 404 200 200 404 404 404 404 404 403
/scenarios/hospital/none/files/     302 404 404 404 404 404 404 404 404 404
/applications/acme/forest/          404 404 200 200 404 200 404 200 404 200
/applications/globex/pine/          404 404 200 404 404 404 200 404 404 200
/trials/c1/                         404 404 200 200 404 200 404 200 404 200
/trials/c1/progress/                404 404 200 200 404 200 404 200 404 200
/trials/c1/report/                  404 404 200 200 404 200 404 200 404 200
/trials/c1/bundle/                  404 404 200 200 404 404 404 404 404 200
/trials/c2/bundle/                  404 404 404 404 404 404 404 404 404 404
/trials/c1/bundle/{report}.zip      404 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/board/     404 404 200 200 404 200 200 404 404 200
/scenarios/hospital/xray/board/     404 404 200 404 200 404 404 404 404 200
/scenarios/plant/milling/tenders/   404 404 200 200 404 200 200 404 404 200
/scenarios/hospital/xray/tenders/   404 404 200 404 200 404 404 404 404 200
/calls/                             200 200 200 200 200 200 200 200 200 200
/calls/new/                         302 404 404 200 200 404 404 404 404 404
/calls/plant/none/                  404 404 404 404 404 404 404 404 404 404
/calls/plant/none/edit/             302 404 404 404 404 404 404 404 404 404
/calls/plant/none/claim/            302 404 404 404 404 404 404 404 404 404
/calls/plant/none/experts/          302 404 404 404 404 404 404 404 404 404
/calls/plant/none/score/            302 404 404 404 404 404 404 404 404 404
/calls/plant/none/standing/         302 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/comparison/ 404 404 200 200 404 404 404 404 404 404
/scenarios/hospital/xray/comparison/ 404 404 200 404 200 404 404 404 404 404
/datasets/                          200 200 200 200 200 200 200 200 200 200
/datasets/new/                      302 404 404 200 200 404 404 404 404 404
/datasets/plant/logs/               200 200 200 200 200 200 200 200 200 200
/datasets/plant/none/               404 404 404 404 404 404 404 404 404 404
/agreements/                        302 404 200 200 200 200 200 200 200 200
/agreements/a1/                     404 404 200 200 404 200 404 404 404 200
/agreements/new/?dataset=plant/logs 302 404 404 200 404 200 200 404 404 404
/agreements/new/                    302 404 404 404 404 404 404 404 404 404
/agreements/a1/acts/agreement.revoke/ 302 404 200 200 404 404 404 404 404 404
/datasets/?q=logs&sector=other      200 200 200 200 200 200 200 200 200 200
/datasets/?after=dataset:plant/none 422 422 422 422 422 422 422 422 422 422
/api/catalogue/datasets             200 200 200 200 200 200 200 200 200 200
/datasets/contributions/            200 200 200 200 200 200 200 200 200 200
/api/catalogue/contributions        200 200 200 200 200 200 200 200 200 200
/datasets/plant/logs/readers/        302 404 200 200 404 404 404 404 404 200
/datasets/plant/none/readers/        302 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/readers/    302 404 200 200 404 404 404 404 404 200
/api/datasets/plant/logs/readers     401 404 200 200 404 404 404 404 404 200
/api/scenarios/plant/milling/readers 401 404 200 200 404 404 404 404 404 200
/datasets/plant/logs/preview/        302 404 403 404 403 403 403 403 403 403
/datasets/plant/none/preview/        302 404 404 404 404 404 404 404 404 404
/api/datasets/plant/logs/files       200 200 200 200 200 200 200 200 200 200
/api/datasets/plant/logs/quality     404 404 404 404 404 404 404 404 404 404
/api/datasets/plant/logs/versions    200 200 200 200 200 200 200 200 200 200
/api/datasets/plant/none/versions    404 404 404 404 404 404 404 404 404 404
/api/datasets/plant/none/files       404 404 404 404 404 404 404 404 404 404
/api/datasets/plant/logs/files/logs.csv 401 403 403 404 403 403 403 403 403 403
/descriptions/                       302 404 404 200 200 404 404 404 404 404
/descriptions/0123456789abcdef0123456789abcdef/ 302 404 404 404 404 404 404 404 404 404
/datasets/plant/logs/files/          302 404 200 200 403 403 403 403 403 403
/datasets/plant/none/files/          302 404 404 404 404 404 404 404 404 404
/datasets/plant/logs/measuring/      302 404 403 200 403 403 403 403 403 403
/datasets/plant/logs/measuring/quality.html 302 404 403 404 403 403 403 403 403 403
/datasets/plant/logs/quality.html    404 404 404 404 404 404 404 404 404 404
/api/descriptions                    401 200 200 200 200 200 200 200 200 200
/api/descriptions/0123456789abcdef0123456789abcdef 401 404 404 404 404 404 404 404 404 404
/api/datasets/plant/logs/kept-files  401 403 200 200 403 403 403 403 403 403
/api/datasets/plant/logs/quality/measurement 401 403 403 404 403 403 403 403 403 403
/api/datasets/plant/logs/preview     401 403 403 404 403 403 403 403 403 403
/datasets/plant/logs/statistics/     302 404 200 200 200 200 200 200 200 200
/datasets/plant/logs/statistics/terms/ 302 404 404 200 404 404 404 404 404 404
/datasets/plant/none/statistics/terms/ 302 404 404 404 404 404 404 404 404 404
/datasets/plant/none/statistics/     302 404 404 404 404 404 404 404 404 404
/datasets/plant/logs/statistics/{milling}/ 302 404 404 404 404 404 404 404 404 404
/api/datasets/plant/logs/statistics  401 200 200 200 200 200 200 200 200 200
/api/datasets/plant/none/statistics  401 404 404 404 404 404 404 404 404 404
/api/datasets/plant/logs/statistics/{milling} 401 404 404 404 404 404 404 404 404 404
/api/datasets/plant/logs/statistics/{milling}/sample 401 404 404 404 404 404 404 404 404 404
/datasets/plant/logs/labelling/      302 404 404 200 404 404 404 404 404 404
/datasets/plant/none/labelling/      302 404 404 404 404 404 404 404 404 404
/trials/c1/panel/                    302 404 404 200 404 404 404 404 404 404
/labelling/                          302 404 200 200 200 200 200 200 200 200
/labelling/{milling}/ 302 404 404 404 404 404 404 404 404 404
/labelling/{milling}/labels.csv 302 404 404 404 404 404 404 404 404 404
/api/labelling                       401 200 200 200 200 200 200 200 200 200
/api/labelling/{milling} 401 404 404 404 404 404 404 404 404 404
/api/labelling/{milling}/sheet 401 404 404 404 404 404 404 404 404 404
/api/labelling/{milling}/items 401 404 404 404 404 404 404 404 404 404
/pools/                              302 404 200 200 200 200 200 200 200 200
/pools/nothing/                      302 404 404 404 404 404 404 404 404 404
/pools/hall/                         302 404 200 200 200 200 200 200 200 200
/pools/new/                          302 404 200 404 404 404 404 404 404 404
/pools/hall/change/                  302 404 200 404 404 404 404 404 404 404
/pools/hall/jobs/                    302 404 200 200 200 200 200 200 200 200
/pools/hall/usage/                   302 404 200 200 200 200 200 200 200 200
/pools/hall/jobs/new/                302 404 200 200 200 200 200 404 404 404
/pools/hall/jobs/{job}/              302 404 200 200 404 404 404 404 404 200
/pools/other/jobs/{job}/             302 404 404 404 404 404 404 404 404 404
/pools/hall/jobs/{job}/0.log         302 404 404 200 404 404 404 404 404 404
/pools/hall/jobs/{job}/0.zip         302 404 404 404 404 404 404 404 404 404
/pools/hall/what-if/                 302 404 200 404 404 404 404 404 404 200
/pools/nothing/what-if/              302 404 404 404 404 404 404 404 404 404
/pools/hall/what-if/{milling}/        302 404 404 404 404 404 404 404 404 404
/pools/hall/what-if/{milling}/replay.html 302 404 404 404 404 404 404 404 404 404
/api/pools/hall/what-ifs             401 404 200 404 404 404 404 404 404 200
/api/pools/nothing/what-ifs          401 404 404 404 404 404 404 404 404 404
/api/pools/hall/what-ifs/{milling}    401 404 404 404 404 404 404 404 404 404
/api/pools/hall/what-ifs/{milling}/replay 401 404 404 404 404 404 404 404 404 404
/api/pools                           401 200 200 200 200 200 200 200 200 200
/api/pools/hall                      401 200 200 200 200 200 200 200 200 200
/api/pools/nothing                   401 404 404 404 404 404 404 404 404 404
/api/pools/hall/jobs                 401 200 200 200 200 200 200 200 200 200
/api/pools/hall/usage                401 200 200 200 200 200 200 200 200 200
/api/pool-jobs/{job}                 401 404 200 200 404 404 404 404 404 200
/api/pool-jobs/{job}/members/0/log   401 404 404 200 404 404 404 404 404 404
/api/pool-jobs/{job}/members/0/output 401 404 404 404 404 404 404 404 404 404
/vouchers/                           302 404 200 200 200 200 200 200 200 200
/vouchers/plant/                     302 404 200 200 404 404 404 404 404 200
/vouchers/claims/                    302 404 302 302 302 302 302 302 302 302
/api/vouchers                        401 200 200 200 200 200 200 200 200 200
/api/vouchers/plant                  401 404 200 200 404 404 404 404 404 200
/voucher-claims/                     302 404 200 200 200 200 200 200 200 200
/voucher-claims/?state=waiting       302 404 200 200 200 200 200 200 200 200
/voucher-claims/new/?job=none&attempt=1 302 404 404 404 404 404 404 404 404 404
/voucher-claims/{milling}/           302 404 404 404 404 404 404 404 404 404
/voucher-claims/{milling}/{milling}/ 302 404 404 404 404 404 404 404 404 404
/api/voucher-uses                    401 200 200 200 200 200 200 200 200 200
/api/voucher-claims                  401 200 200 200 200 200 200 200 200 200
/api/voucher-claims/{milling}        401 404 404 404 404 404 404 404 404 404
/api/voucher-claims/{milling}/files/sha256:{milling} 401 404 404 404 404 404 404 404 404 404
/voucher-programmes/                 200 200 200 200 200 200 200 200 200 200
/voucher-programmes/new/             302 404 200 404 404 404 404 404 404 404
/voucher-programmes/none/            404 404 404 404 404 404 404 404 404 404
/voucher-programmes/none/edit/       302 404 404 404 404 404 404 404 404 404
/voucher-programmes/none/evidence.zip 302 404 404 404 404 404 404 404 404 404
/api/voucher-programmes              200 200 200 200 200 200 200 200 200 200
/api/voucher-programmes/none         404 404 404 404 404 404 404 404 404 404
/api/voucher-programmes/none/evidence 401 404 404 404 404 404 404 404 404 404
/voucher-metering/                   302 404 200 404 404 404 404 404 404 200
/api/voucher-metering                401 404 200 404 404 404 404 404 404 200
/sites/                              302 404 200 200 200 200 200 200 200 200
/sites/plant-site/                   302 404 404 404 404 404 404 404 404 404
/api/sites                           401 200 200 200 200 200 200 200 200 200
/api/sites/plant-site                401 404 404 404 404 404 404 404 404 404
/api/site-packs                      401 200 200 200 200 200 200 200 200 200
/api/site-packs/{milling} 401 404 404 404 404 404 404 404 404 404
/api/site-packs/{milling}/file 401 404 404 404 404 404 404 404 404 404
/api/datasets                       200 200 200 200 200 200 200 200 200 200
/api/datasets/plant/logs            200 200 200 200 200 200 200 200 200 200
/api/datasets/plant/logs/record     401 404 200 200 404 404 404 404 404 200
/api/datasets/plant/logs/acts       401 404 200 200 404 404 404 404 404 200
/api/datasets/plant/logs/uses       401 200 200 200 200 200 200 200 200 200
/api/agreements                     401 200 200 200 200 200 200 200 200 200
/api/agreements/a1                  401 404 200 200 404 200 404 404 404 200
/api/agreements/a1/record           401 404 200 200 404 200 404 404 404 200
/api/agreements/a1/acts             401 404 200 200 404 200 404 404 404 200
/api/agreements/a1/uses             401 404 200 200 404 200 404 404 404 200
/plan-size/                         302 404 200 200 200 200 200 200 200 200
/matching/                          302 404 200 200 200 200 200 200 200 200
/matching/assignment/               302 404 200 200 200 200 200 200 200 200
/scenarios/plant/milling/matches/   302 404 200 200 200 200 200 200 200 200
/scenarios/hospital/xray/matches/   302 404 200 404 200 404 404 404 404 200
/profiles/                          302 404 200 200 200 200 200 200 200 200
/profiles/organisation/nobody/      302 404 404 404 404 404 404 404 404 404
/profiles/application/globex/pine/  302 404 200 404 404 404 200 404 404 200
/capabilities/new/                  302 404 200 200 200 200 200 200 200 200
/capabilities/acme/none/edit/       302 404 404 404 404 404 404 404 404 404
/capabilities/acme/none/matches/    302 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/providers/ 302 404 200 200 200 200 200 200 200 200
/scenarios/hospital/xray/providers/ 302 404 200 404 200 404 404 404 404 200
/import/capabilities/               302 404 200 404 404 404 404 404 404 404
/scenarios/hospital/none/matches/   302 404 404 404 404 404 404 404 404 404
/applications/acme/forest/matches/  302 404 200 200 404 200 404 200 404 200
/applications/globex/pine/matches/  302 404 200 404 404 404 200 404 404 200
/trials/c2/                         404 404 404 404 404 404 404 404 404 404
/trials/c1/acts/order.give/         302 404 404 404 404 404 404 404 404 200
/trials/c1/acts/certificate.revoke/ 302 404 200 404 404 404 404 404 404 404
/trials/c1/acts/appeal.file/        302 404 404 200 404 200 404 404 404 404
/trials/c1/acts/report.review/      302 404 404 404 404 404 404 200 404 404
/trials/c1/acts/no.such/            302 404 404 404 404 404 404 404 404 404
/organisations/plant/               404 404 200 200 404 404 404 404 404 200
/organisations/plant/acts/organisation.declare/ 302 404 404 200 404 404 404 404 404 404
/organisations/plant/invite/        302 404 200 200 404 404 404 404 404 404
/people/                            302 404 200 200 200 200 200 200 200 200
/people/p-owner/                    302 404 200 200 404 404 404 404 404 200
/api/people                         401 200 200 200 200 200 200 200 200 200
/api/people/p-owner                 401 404 200 200 404 404 404 404 404 200
/audit/                             302 404 200 404 404 404 404 404 404 200
/audit/audit.csv                    302 404 200 404 404 404 404 404 404 200
/api/audit                          401 403 200 403 403 403 403 403 403 200
/organisations/plant/domains/       302 404 200 404 404 404 404 404 404 404
/api/organisations/plant/domains    401 404 200 200 404 404 404 404 404 404
/role-changes/                      302 404 200 404 404 404 404 404 404 404
/api/role-changes                   401 403 200 403 403 403 403 403 403 403
/organisations/new/                 302 404 200 404 404 404 404 404 404 404
/scenarios/new/                     302 404 200 200 200 404 404 404 404 404
/worlds/                            302 404 200 200 200 404 404 404 404 404
/worlds/office/                     302 404 200 200 200 404 404 404 404 404
/worlds/office/world.zip            302 404 200 200 200 404 404 404 404 404
/scenarios/plant/milling/starter-kit.zip 302 404 404 404 404 422 422 404 404 404
/api/scenarios/plant/milling/kit     404 404 404 404 404 404 404 404 404 404
/api/scenarios/hospital/xray/kit     404 404 404 404 404 404 404 404 404 404
/applications/acme/forest/rehearsal.html 302 404 404 404 404 404 404 404 404 404
/applications/acme/forest/rehearsal.log 302 404 404 404 404 404 404 404 404 404
/scenarios/plant/milling/acts/scenario.edit/ 302 404 200 200 404 404 404 404 404 404
/applications/new/                  302 404 404 404 404 200 200 404 404 404
/trials/new/                        302 404 404 404 404 200 200 404 404 404
/services/                          302 404 200 200 200 200 200 200 200 200
/services/milling/                  302 404 200 200 404 200 404 404 404 200
/services/nothing/                  302 404 404 404 404 404 404 404 404 404
/services/milling/consents/00000000000000000000000000000000/ 302 404 404 404 404 404 404 404 404 404
/certificates/{serial}/service/     302 404 200 200 404 404 404 404 404 404
/certificates/{serial}/release/     302 404 200 200 404 404 404 404 404 404
/api/services                       401 200 200 200 200 200 200 200 200 200
/api/services/milling               401 404 200 200 404 200 404 404 404 200
/services/milling/watch/            302 404 200 200 404 200 404 404 404 200
/services/nothing/watch/            302 404 404 404 404 404 404 404 404 404
/warnings/                          302 404 200 200 200 200 200 200 200 200
/api/services/milling/watch         401 404 200 200 404 200 404 404 404 200
/api/services/milling/watch/path    401 422 422 422 422 422 422 422 422 422
/api/services/milling/warnings      401 404 200 200 404 200 404 404 404 200
/api/warnings                       401 200 200 200 200 200 200 200 200 200
/api/services/nothing               401 404 404 404 404 404 404 404 404 404
/api/services/milling/history       401 404 200 200 404 200 404 404 404 200
/api/services/milling/releases      401 404 200 200 404 403 404 404 404 200
/api/services/milling/keys          401 404 200 200 404 403 404 404 404 200
/api/services/milling/budgets       401 404 200 200 404 403 404 404 404 200
/api/services/milling/usage         401 404 200 200 404 403 404 404 404 200
/api/services/milling/consents      401 404 200 200 404 403 404 404 404 200
/api/services/milling/consents/00000000000000000000000000000000 401 404 404 404 404 403 404 404 404 404
/api/docs/services.create/          200 200 200 200 200 200 200 200 200 200
/api/docs/services.fly/             404 404 404 404 404 404 404 404 404 404
/api/docs/models/Certificate/       200 200 200 200 200 200 200 200 200 200
/api/docs/models/Secret/            404 404 404 404 404 404 404 404 404 404
/docs/                              200 200 200 200 200 200 200 200 200 200
/docs/use-the-api/                  200 200 200 200 200 200 200 200 200 200
/docs/tasks/answering/              200 200 200 200 200 200 200 200 200 200
/docs/threats/                      404 404 404 404 404 404 404 404 404 404
/docs/images/quality-memory.svg     200 200 200 200 200 200 200 200 200 200
/docs/decisions/secret.svg          404 404 404 404 404 404 404 404 404 404
/certificates/                      200 200 200 200 200 200 200 200 200 200
/certificates/{serial}/             200 200 200 200 200 200 200 200 200 200
/certificates/{serial}/certificate.json 200 200 200 200 200 200 200 200 200 200
/certificates/{serial}/badge.en.svg 200 200 200 200 200 200 200 200 200 200
/certificates/{xray}/badge.zh.svg   404 404 404 404 404 404 404 404 404 404
/certificates/{serial}/qr.svg       200 200 200 200 200 200 200 200 200 200
/certificates/badges/revocation.jwt  200 200 200 200 200 200 200 200 200 200
/.well-known/did.json                404 404 404 404 404 404 404 404 404 404
/certificates/{xray}/               404 404 404 404 404 404 404 404 404 404
/certificates/trust-roots.json      200 200 200 200 200 200 200 200 200 200
/certificates/log-key.txt           200 200 200 200 200 200 200 200 200 200
/certificates/revocations.json      200 200 200 200 200 200 200 200 200 200
/account/                           302 200 200 200 200 200 200 200 200 200
/account/tokens/                    302 404 200 200 200 200 200 200 200 200
/account/login/                     200 302 302 302 302 302 302 302 302 302
/account/logout/                    302 200 200 200 200 200 200 200 200 200
/account/signup/                    200 200 200 200 200 200 200 200 200 200
/account/inactive/                  200 200 200 200 200 200 200 200 200 200
/account/reauthenticate/            302 200 200 200 200 200 200 200 200 200
/account/password/change/           302 200 200 200 200 200 200 200 200 200
/account/password/set/              302 302 302 302 302 302 302 302 302 302
/account/password/reset/            200 200 200 200 200 200 200 200 200 200
/account/password/reset/done/       200 200 200 200 200 200 200 200 200 200
/account/password/reset/key/done/   200 200 200 200 200 200 200 200 200 200
/account/password/reset/key/1-set/  200 200 200 200 200 200 200 200 200 200
/account/second-factor/             302 200 200 200 200 200 200 200 200 200
/account/second-factor/enter/       302 302 302 302 302 302 302 302 302 302
/account/second-factor/passkeys/new/ 302 302 302 302 302 302 302 302 302 302
/account/second-factor/passkeys/login/ 302 302 302 302 302 302 302 302 302 302
/account/second-factor/passkeys/again/ 302 302 302 302 302 302 302 302 302 302
/account/second-factor/passkeys/1/name/ 302 302 302 302 302 302 302 302 302 302
/account/second-factor/passkeys/1/remove/ 302 302 302 302 302 302 302 302 302 302
/account/sessions/                  302 200 200 200 200 200 200 200 200 200
/account/provider/cancelled/        200 200 200 200 200 200 200 200 200 200
/account/provider/error/             401 401 401 401 401 401 401 401 401 401
/account/provider/signup/           200 200 200 200 200 200 200 200 200 200
/invitations/nothing/               404 404 404 404 404 404 404 404 404 404
/health/live                        200 200 200 200 200 200 200 200 200 200
/health/ready                       200 200 200 200 200 200 200 200 200 200
/metrics                            404 404 200 404 404 404 404 404 404 404
/api/docs/                          200 200 200 200 200 200 200 200 200 200
/api/openapi.json                   200 200 200 200 200 200 200 200 200 200
/api/me                             401 200 200 200 200 200 200 200 200 200
/api/work                           401 200 200 200 200 200 200 200 200 200
/api/scenarios                      200 200 200 200 200 200 200 200 200 200
/api/applications                   200 200 200 200 200 200 200 200 200 200
/api/trials                         401 200 200 200 200 200 200 200 200 200
/api/organisations                  401 200 200 200 200 200 200 200 200 200
/api/scenarios/plant/milling        200 200 200 200 200 200 200 200 200 200
/api/scenarios/hospital/xray        404 404 200 404 200 404 404 404 404 200
/api/scenarios/plant/milling/record 401 404 200 200 404 404 404 404 404 200
/api/applications/acme/forest       404 404 200 200 404 200 404 200 404 200
/api/applications/globex/pine       404 404 200 404 404 404 200 404 404 200
/api/applications/acme/forest/record 401 404 200 404 404 200 404 404 404 200
/api/trials/c1                      401 404 200 200 404 200 404 200 404 200
/api/trials/c1/record               401 404 200 200 404 200 404 200 404 200
/api/trials/c1/report               401 404 200 200 404 200 404 200 404 200
/api/trials/c1/progress             401 404 200 200 404 200 404 200 404 200
/api/trials/c1/bundle               401 404 202 202 404 404 404 404 404 202
/api/queue                          401 200 200 200 200 200 200 200 200 200
/api/tenders/{milling}              401 404 404 404 404 404 404 404 404 404
/api/scenarios/plant/milling/tenders 401 404 200 200 404 200 200 404 404 200
/api/scenarios/hospital/xray/tenders 401 404 200 404 200 404 404 404 404 200
/api/scenarios/plant/milling/board  401 404 200 200 404 200 200 404 404 200
/api/scenarios/hospital/xray/board  401 404 200 404 200 404 404 404 404 200
/api/calls                          200 200 200 200 200 200 200 200 200 200
/api/calls/plant/none               404 404 404 404 404 404 404 404 404 404
/api/calls/plant/none/claims        401 404 404 404 404 404 404 404 404 404
/api/calls/plant/none/scores        401 404 404 404 404 404 404 404 404 404
/api/calls/plant/none/file          401 404 404 404 404 404 404 404 404 404
/api/scenarios/plant/milling/comparison 401 404 200 200 404 404 404 404 404 404
/api/scenarios/plant/milling/budget 401 404 404 404 404 404 404 404 404 404
/api/trials/c1/estimate             401 404 404 404 404 404 404 404 404 404
/api/matches/gaps                   401 200 200 200 200 200 200 200 200 200
/api/matches/followed               401 200 200 200 200 200 200 200 200 200
/api/matches/assignment             401 200 200 200 200 200 200 200 200 200
/api/matches/scenarios/plant/milling 401 200 200 200 200 200 200 200 200 200
/api/matches/scenarios/plant/milling/providers 401 200 200 200 200 200 200 200 200 200
/api/matches/scenarios/hospital/xray/providers 401 404 200 404 200 404 404 404 404 200
/api/matches/demands/plant/none/providers 401 404 404 404 404 404 404 404 404 404
/api/matches/capabilities/acme/none 401 404 404 404 404 404 404 404 404 404
/api/profiles                       401 422 422 422 422 422 422 422 422 422
/api/capabilities                   401 200 200 200 200 200 200 200 200 200
/api/capabilities/acme/none         401 404 404 404 404 404 404 404 404 404
/api/profiles?subject=application:globex/pine 401 404 200 404 404 404 200 404 404 200
/api/matches/scenarios/hospital/xray 401 404 200 404 200 404 404 404 404 200
/api/matches/applications/acme/forest 401 404 200 200 404 200 404 200 404 200
/api/matches/applications/globex/pine 401 404 200 404 404 404 200 404 404 200
/api/organisations/plant            401 404 200 200 404 404 404 404 404 200
/api/organisations/plant/record     401 404 200 200 404 404 404 404 404 200
/api/organisations/plant/invitations 401 404 200 200 404 404 404 404 404 404
/api/scenarios/plant/milling/acts   401 404 200 200 404 404 404 404 404 200
/api/applications/acme/forest/acts  401 404 200 404 404 200 404 404 404 200
/api/trials/c1/acts                 401 404 200 200 404 200 404 200 404 200
/api/organisations/plant/acts       401 404 200 200 404 404 404 404 404 200
/api/scenarios/plant/milling/files  401 404 200 200 404 404 404 404 404 403
/api/uploads                        401 200 200 200 200 200 200 200 200 200
/api/uploads/{upload}               401 404 404 200 404 404 404 404 404 404
/api/certificates/{serial}          200 200 200 200 200 200 200 200 200 200
/api/certificates/{serial}/envelope 200 200 200 200 200 200 200 200 200 200
/api/certificates/{serial}/proof    200 200 200 200 200 200 200 200 200 200
/api/documents/sha256:{milling}     200 200 200 200 200 200 200 200 200 200
/api/documents/sha256:{xray}        404 404 200 404 200 404 404 404 404 200
/api/documents/sha256:{report}      404 404 200 200 404 404 404 200 404 200
/api/no-such-thing                  404 404 404 404 404 404 404 404 404 404
/no-such-page                       404 404 404 404 404 404 404 404 404 404
"""
"""GET each address as each person. D operator, O demand owner, P supplier, R reviewer, G regulator; small letters: the
same role in an organisation that the records do not concern; S has an account and belongs to nobody."""

ACTS = """
organisation.edit       D       organisations/plant      DOG
organisation.declare    O       organisations/plant      DOG
scenario.submit         O       scenarios/plant/milling  DOG
scenario.return         D       scenarios/plant/milling  DOG
scenario.open           D       scenarios/plant/milling  DOG
scenario.withdraw       O       scenarios/plant/milling  DOG
application.submit      P       applications/acme/forest DPG
application.stop        DP      applications/acme/forest DPG
commission.counter      O       trials/c1                DOPRG
commission.revise       P       trials/c1                DOPRG
commission.agree        O       trials/c1                DOPRG
commission.concede      P       trials/c1                DOPRG
commission.decline      DOP     trials/c1                DOPRG
commission.cancel       DOP     trials/c1                DOPRG
approval.file           DOP     trials/c1                DOPRG
plan.draft              D       trials/c1                DOPRG
plan.return             DR      trials/c1                DOPRG
plan.approve            R       trials/c1                DOPRG
plan.freeze             D       trials/c1                DOPRG
trial.queue             D       trials/c1                DOPRG
trial.stop              D       trials/c1                DOPRG
consent.give            DOP     trials/c1                DOPRG
consent.refuse          DOP     trials/c1                DOPRG
trial.repeat            D       trials/c1                DOPRG
rectification.ask       DO      trials/c1                DOPRG
rectification.submit    P       trials/c1                DOPRG
acceptance.give         O       trials/c1                DOPRG
acceptance.refuse       O       trials/c1                DOPRG
certificate.sign        D       trials/c1                DOPRG
certificate.reinstate   D       trials/c1                DOPRG
order.lift              G       trials/c1                DOPRG
appeal.decide           D       trials/c1                DOPRG
dataset.publish         O       datasets/plant/logs      DOG
agreement.agree         P       agreements/a1            DOPG
agreement.grant         O       agreements/a1            DOPG
"""
"""Act, who the table lets do it, on what, who sees the record. Each is sent where the state (or what is handed in)
stands against it, so that nothing moves: who may is told that, who sees is told that they may not, for others there is
nothing. What can be done in this state is in `ACTS_THAT_MOVE` beside the tests."""
