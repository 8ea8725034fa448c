-- 医保结算的导出语句：列名就是约定的表头，金额以元计，日期写成 2026-05-14；结果存成 CSV 即可检查、发布。
-- 表名和列名换成本单位的。国标结算字段：inscp_scp_amt 等见 lidm feed describe medical.settlement。
SELECT
    person.certno                                          AS "证件号码",
    bill.setl_id                                           AS "结算单号",
    bill.setl_time                                         AS "结算日期",
    CASE bill.med_type
        WHEN '11' THEN '门诊'
        WHEN '14' THEN '门诊慢特病'
        WHEN '21' THEN '住院'
        WHEN '41' THEN '药店'
    END                                                    AS "就诊类型",
    bill.fixmedins_code                                    AS "医疗机构编码",
    bill.medfee_sumamt                                     AS "总费用(元)",
    bill.hifp_pay                                          AS "基本医保统筹支付(元)",
    bill.hifmi_pay + bill.hifob_pay                        AS "大病保险支付(元)",
    bill.maf_pay                                           AS "医疗救助支付(元)",
    bill.acct_pay                                          AS "个人账户支付(元)",
    bill.medfee_sumamt - bill.fulamt_ownpay_amt - bill.overlmt_selfpay
        - bill.hifp_pay - bill.hifmi_pay - bill.hifob_pay - bill.maf_pay - bill.acct_pay
                                                           AS "目录内个人自付(元)",
    bill.fulamt_ownpay_amt + bill.overlmt_selfpay          AS "目录外自费(元)",
    CASE bill.refd_setl_flag WHEN '1' THEN '冲销' ELSE '' END AS "操作",
    bill.updt_time                                         AS "记录时间"
FROM setl_d AS bill
JOIN psn_info_b AS person ON person.psn_no = bill.psn_no
WHERE bill.setl_time >= '2026-05-01' AND bill.setl_time < '2026-06-01'
ORDER BY bill.setl_id;
